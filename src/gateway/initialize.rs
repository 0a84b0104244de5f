//! Opens a session: which revision is spoken in it, and what the endpoint says of itself.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    facade::Gateway,
    inbound::{Reply, Route},
    member::Member,
    replies::{Recovery, Refusal, answered, failed_call},
    request::Request,
    tasks::without_list,
};
use crate::{
    backend::Client,
    protocol::{Message, RawObject, Revision, Text, offset},
};

const INSTRUCTIONS: &str = "This gateway stands before several MCP servers. \
Find a tool with gateway_search_tools or gateway_list_tools, then call it with gateway_invoke {server, tool, arguments}. \
A failed call says in `recovery` whether and when trying again helps.";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initialized {
    protocol_version: &'static str,
    capabilities: Capabilities,
    server_info: ServerInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'static str>,
}

#[derive(Serialize)]
struct Capabilities {
    tools: Listed,
    resources: Subscribable,
    prompts: Listed,
    completions: Empty,
    logging: Empty,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    list_changed: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subscribable {
    subscribe: bool,
    list_changed: bool,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct ServerInfo {
    name: &'static str,
    version: &'static str,
}

impl Gateway {
    /// `initialize` on `/mcp`.
    pub(super) fn initialize(&self, request: &Request) -> Result<Reply, Refusal> {
        let revision = wanted(&request.message)?;
        let result = self.introduction(revision);
        self.opened(request, &Route::Aggregate, revision, &result)
    }

    /// What `/mcp` says of itself.
    pub(super) fn introduction(&self, revision: Revision) -> Vec<u8> {
        let listed = || Listed { list_changed: true };
        let result = Initialized {
            protocol_version: revision.as_str(),
            capabilities: Capabilities {
                tools: listed(),
                resources: Subscribable {
                    subscribe: true,
                    list_changed: true,
                },
                prompts: listed(),
                completions: Empty {},
                logging: Empty {},
            },
            server_info: ServerInfo {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            instructions: self
                .table()
                .settings()
                .meta_mcp
                .enabled
                .then_some(INSTRUCTIONS),
        };
        serde_json::to_vec(&result).unwrap_or_default()
    }

    /// `initialize` on `/mcp/{backend}`: our session, the backend's own words.
    pub(super) async fn initialize_backend(
        &self,
        member: &Member,
        request: &Request,
    ) -> Result<Reply, Refusal> {
        let wanted = wanted(&request.message)?;
        let info = match member.backend().server_info(request.deadline).await {
            Ok(info) => info,
            Err(error) => {
                let recovery = Recovery::of_call(member.name(), &error);
                return Ok(answered(failed_call(request.id(), &recovery)));
            }
        };
        // What passes through is the backend's: nothing newer than it speaks can be promised.
        let revision = wanted.min(info.revision);
        let mut result = speaking(&info.initialize_result, revision);
        if !client_of(&request.message).can_be_asked()
            && let Some(less) = without_list(&result)
        {
            result = less.into();
        }
        self.opened(
            request,
            &Route::Backend(member.name().into()),
            revision,
            &result,
        )
    }

    fn opened(
        &self,
        request: &Request,
        route: &Route,
        revision: Revision,
        result: &[u8],
    ) -> Result<Reply, Refusal> {
        let now = self.clock.now();
        let session = self.sessions.open(
            &request.caller,
            route,
            client_of(&request.message),
            (revision, now),
        )?;
        let body = request.respond(result);
        Ok(Reply {
            session: Some(session.id().into()),
            ..answered(body)
        })
    }
}

/// What the client says of itself; what cannot be read of it is left out.
fn client_of(message: &Message) -> Client {
    let params = message.params().unwrap_or_default();
    let params = RawObject::parse(&params).unwrap_or_default();
    let object = |key| {
        let member = params.member(key).map(RawValue::get);
        member.filter(|text| text.starts_with('{')).unwrap_or("{}")
    };
    Client::new(object("clientInfo"), object("capabilities"))
}

/// The revision that the client asks for, or ours if we do not speak it (MCP 2025-11-25, basic/lifecycle, version negotiation).
fn wanted(message: &Message) -> Result<Revision, Refusal> {
    let params = message.params().unwrap_or_default();
    let asked = RawObject::parse(&params)
        .and_then(|params| params.read::<Text<'_>>("protocolVersion").map(|Text(text)| text.into_owned()))
        .ok_or_else(|| {
            Refusal::InvalidParams(
                "`initialize` came without `params.protocolVersion`, so no session was opened. Send the revision you speak, such as \"2025-11-25\".".into(),
            )
        })?;
    Ok(Revision::parse(&asked).unwrap_or(Revision::LATEST_LEGACY))
}

/// The backend's result with this revision in it, every other byte as it was.
fn speaking(result: &Bytes, revision: Revision) -> Bytes {
    let spliced = || {
        let text = std::str::from_utf8(result).ok()?;
        let old = RawObject::parse(result)?.member("protocolVersion")?.get();
        let start = offset(text, old);
        let new = format!("\"{revision}\"");
        Some(
            [&text[..start], &new, &text[start + old.len()..]]
                .concat()
                .into(),
        )
    };
    spliced().unwrap_or_else(|| result.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn initialize(params: &str) -> Message {
        Message::request(b"1", "initialize", Some(params.as_bytes()))
    }

    #[test]
    fn a_known_revision_is_kept_and_an_unknown_one_answered_with_ours() {
        let asked = |params| wanted(&initialize(params));
        assert_eq!(
            asked(r#"{"protocolVersion":"2024-11-05"}"#),
            Ok(Revision::V2024_11_05)
        );
        assert_eq!(
            asked(r#"{"protocolVersion":"2099-01-01"}"#),
            Ok(Revision::LATEST_LEGACY)
        );
        assert!(asked("{}").is_err());
    }

    #[test]
    fn the_words_of_a_backend_stay_but_for_the_revision() {
        let result =
            Bytes::from_static(br#"{"x":1e9,"protocolVersion" : "2025-11-25","serverInfo":{}}"#);
        let spoken = speaking(&result, Revision::V2025_03_26);
        assert_eq!(
            spoken,
            r#"{"x":1e9,"protocolVersion" : "2025-03-26","serverInfo":{}}"#
        );
    }
}
