//! A session with a backend: its id, what was agreed, and how a backend says that it has forgotten it.

use std::sync::Arc;

use http::HeaderValue;

use crate::{
    backend::transport::ServerInfo, failsafe::Outcome, lockfree::Latest, protocol::Message,
};

/// An open session.
#[derive(Debug)]
pub(super) struct Session {
    /// The backend's `Mcp-Session-Id`; absent where it keeps no sessions.
    pub(super) id: Option<HeaderValue>,
    pub(super) info: Arc<ServerInfo>,
    /// 1 once a call in it has failed: a probe of the breaker does not rely on it.
    doubted: Latest,
}

impl Session {
    pub(super) fn new(id: Option<HeaderValue>, info: Arc<ServerInfo>) -> Self {
        Self {
            id,
            info,
            doubted: Latest::new(0),
        }
    }

    pub(super) fn doubt(&self) {
        self.doubted.set(1);
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.doubted.value() != 0
    }
}

/// Whether a JSON-RPC error says that the session is gone: servers disagree on status and code.
pub(super) fn says_lost(answer: &Message) -> bool {
    let Some(code) = answer.error_code() else {
        return false;
    };
    let text = answer.error_message().unwrap_or_default();
    Outcome::of_rpc_error(code, &text) == Outcome::SessionLost
}
