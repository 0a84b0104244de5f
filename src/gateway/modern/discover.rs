//! `server/discover`: which revisions are spoken here, and what the endpoint can do.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    gateway::{
        facade::Gateway,
        member::Member,
        replies::{Recovery, failed_call},
        request::Request,
    },
    protocol::{RawObject, Revision},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Discovered<'a> {
    supported_versions: Vec<&'static str>,
    capabilities: &'a RawObject<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a RawValue>,
    #[serde(rename = "_meta")]
    meta: Meta<'a>,
}

#[derive(Serialize)]
struct Meta<'a> {
    #[serde(
        rename = "io.modelcontextprotocol/serverInfo",
        skip_serializing_if = "Option::is_none"
    )]
    server_info: Option<&'a RawValue>,
}

impl Gateway {
    /// `server/discover` on `/mcp`.
    pub(super) fn discover(&self, request: &Request) -> Bytes {
        discovered(request, &self.introduction(Revision::LATEST_LEGACY))
    }

    /// `server/discover` on `/mcp/{backend}`: our revisions, the backend's own words.
    pub(super) async fn discover_backend(&self, member: &Member, request: &Request) -> Bytes {
        let backend = member.backend();
        let info = match backend.modern_info(request.deadline).await {
            Ok(None) => backend.server_info(request.deadline).await,
            Ok(Some(info)) => Ok(info),
            Err(error) => Err(error),
        };
        match info {
            Ok(info) => discovered(request, &info.initialize_result),
            Err(error) => failed_call(request.id(), &Recovery::of_call(member.name(), &error)),
        }
    }
}

/// Says in the words of this revision what an answer to `initialize` says.
fn discovered(request: &Request, initialized: &[u8]) -> Bytes {
    let initialized = RawObject::parse(initialized).unwrap_or_default();
    let capabilities = initialized.member("capabilities").map(RawValue::get);
    let mut capabilities = capabilities
        .and_then(|text| RawObject::parse(text.as_bytes()))
        .unwrap_or_default();
    // Tasks of older revisions are other ones than the extension of this.
    capabilities.0.retain(|(name, _)| name != "tasks");
    let discovered = Discovered {
        supported_versions: Revision::supported().collect(),
        capabilities: &capabilities,
        instructions: initialized.member("instructions"),
        meta: Meta {
            server_info: initialized.member("serverInfo"),
        },
    };
    request.respond(&serde_json::to_vec(&discovered).unwrap_or_default())
}
