//! What a backend said of itself when the session was opened.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::to_raw_value;

use crate::{
    backend::{BackendSettings, CallError},
    protocol::{Era, MODERN, Message, RawObject, Revision, Text},
};

/// Where a modern server puts its name and version in `_meta` of a result (MCP 2026-07-28, basic).
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// A backend's answer to `initialize`, or what it says of itself otherwise, in the words of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// The raw JSON of the result.
    pub initialize_result: Bytes,
    /// The revision it chose; of a modern one, the newest that clients of older revisions can be told.
    pub revision: Revision,
    /// Whether it is one of older revisions.
    pub era: Era,
}

impl ServerInfo {
    /// Reads the answer to `initialize`.
    ///
    /// # Errors
    /// A JSON-RPC error, a result without `protocolVersion`, or a revision that the gateway does not speak.
    pub(super) fn from_answer(
        answer: &Message,
        settings: &BackendSettings,
    ) -> Result<Self, CallError> {
        let Some(initialize_result) = answer.result() else {
            let error = answer.error().unwrap_or_default();
            let error = settings.excerpt(&String::from_utf8_lossy(&error));
            return Err(CallError::protocol(format!(
                "it answered initialize with {error}"
            )));
        };
        let chosen: Chosen = serde_json::from_slice(&initialize_result).map_err(|error| {
            CallError::protocol(format!(
                "its answer to initialize has no usable protocolVersion: {error}"
            ))
        })?;
        let revision = Revision::parse(&chosen.protocol_version).ok_or_else(|| {
            CallError::protocol(format!(
                "it speaks revision `{}`, which the gateway does not",
                settings.excerpt(&chosen.protocol_version)
            ))
        })?;
        Ok(Self {
            initialize_result,
            revision,
            era: Era::Legacy,
        })
    }
}

impl ServerInfo {
    /// Reads the answer to `server/discover` and says it in the words of `initialize`; nothing if it is no server of
    /// revision 2026-07-28 that answered.
    pub(super) fn from_discovery(answer: &Message) -> Option<Self> {
        let result = answer.result()?;
        let found: RawObject<'_> = RawObject::parse(&result)?;
        let versions: Vec<Text<'_>> = found.read("supportedVersions")?;
        if !versions.iter().any(|Text(version)| version == MODERN) {
            return None;
        }
        let meta: RawObject<'_> = found.read("_meta").unwrap_or_default();
        let revision = Revision::LATEST_LEGACY;
        let spoken = to_raw_value(revision.as_str()).ok()?;
        let members = [
            ("protocolVersion", Some(&*spoken)),
            ("capabilities", found.member("capabilities")),
            ("serverInfo", meta.member(SERVER_INFO)),
            ("instructions", found.member("instructions")),
        ];
        let mut said = RawObject::default();
        for (key, value) in members {
            if let Some(value) = value {
                said.replace(key, value);
            }
        }
        Some(Self {
            initialize_result: serde_json::to_vec(&said).ok()?.into(),
            revision,
            era: Era::Modern,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chosen {
    protocol_version: String,
}
