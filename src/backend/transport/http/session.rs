//! A session with a backend: its id, what was agreed, and how a backend says that it has forgotten it.

use std::sync::Arc;

use http::HeaderValue;

use crate::{backend::transport::ServerInfo, failsafe::Outcome, protocol::Message};

/// An open session.
#[derive(Debug)]
pub(super) struct Session {
    /// The backend's `Mcp-Session-Id`; absent where it keeps no sessions.
    pub(super) id: Option<HeaderValue>,
    pub(super) info: Arc<ServerInfo>,
}

/// Whether a JSON-RPC error says that the session is gone: servers disagree on status and code.
pub(super) fn says_lost(answer: &Message) -> bool {
    let Some(code) = answer.error_code() else {
        return false;
    };
    let text = answer.error_message().unwrap_or_default();
    Outcome::of_rpc_error(code, &text) == Outcome::SessionLost
}
