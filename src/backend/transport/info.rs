//! What a backend said of itself when the session was opened.

use bytes::Bytes;
use serde::Deserialize;

use crate::{
    backend::{BackendSettings, CallError},
    protocol::{Message, Revision},
};

/// A backend's answer to `initialize`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerInfo {
    /// The raw JSON of the result.
    pub initialize_result: Bytes,
    /// The revision it chose.
    pub revision: Revision,
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
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chosen {
    protocol_version: String,
}
