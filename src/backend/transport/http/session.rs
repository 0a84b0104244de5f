//! A session with a backend: its id, what was agreed, and how a backend says that it has forgotten it.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::sync::watch;

use super::endpoint;
use crate::{
    backend::transport::{ServerInfo, listening, stdio::Child},
    failsafe::Outcome,
    lockfree::Latest,
    protocol::{Era, MODERN, Message},
};

/// The header that names the session (2025-11-25, Streamable HTTP, Session Management).
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const REVISION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// An open session.
#[derive(Debug)]
pub(super) struct Session {
    /// Whether the backend gave it an id; some keep no sessions.
    pub(super) has_id: bool,
    /// The header lines of every request in it, as they are written.
    pub(super) lines: Box<[u8]>,
    pub(super) info: Arc<ServerInfo>,
    /// The stream on which everything comes, of a server of the first revision.
    stream: Option<Child>,
    ended: watch::Sender<bool>,
    /// 1 once a call in it has failed: a probe of the breaker does not rely on it.
    doubted: Latest,
    /// Of which lists its subscription tells, a bit each.
    told: Latest,
}

impl Session {
    /// `id` is the backend's `Mcp-Session-Id`.
    pub(super) fn new(id: Option<HeaderValue>, info: Arc<ServerInfo>) -> Self {
        let has_id = id.is_some();
        let revision = HeaderValue::from_static(info.revision.as_str());
        let mut headers = HeaderMap::from_iter([(REVISION, revision)]);
        headers.extend(id.map(|id| (SESSION, id)));
        Self {
            has_id,
            lines: endpoint::lines(&headers),
            info,
            stream: None,
            ended: watch::Sender::new(false),
            doubted: Latest::new(0),
            told: Latest::new(0),
        }
    }

    /// One that consists of its stream.
    pub(super) fn of_stream(stream: Child, info: Arc<ServerInfo>) -> Self {
        Self {
            stream: Some(stream),
            ..Self::new(None, info)
        }
    }

    pub(super) const fn stream(&self) -> Option<&Child> {
        self.stream.as_ref()
    }

    /// Whether it can still be used, as far as is known.
    pub(super) fn is_alive(&self) -> bool {
        self.stream.as_ref().is_none_or(Child::is_alive)
    }

    /// What takes the place of a session where each request stands for itself.
    pub(super) fn modern(info: ServerInfo) -> Self {
        let headers = HeaderMap::from_iter([(REVISION, HeaderValue::from_static(MODERN))]);
        Self {
            has_id: false,
            lines: endpoint::lines(&headers),
            info: Arc::new(info),
            stream: None,
            ended: watch::Sender::new(false),
            doubted: Latest::new(0),
            told: Latest::new(0),
        }
    }

    pub(super) fn revision(&self) -> &'static str {
        match self.info.era {
            Era::Legacy => self.info.revision.as_str(),
            Era::Modern => MODERN,
        }
    }

    pub(super) fn is_modern(&self) -> bool {
        self.info.era == Era::Modern
    }

    /// It is the one in use no longer.
    pub(super) fn end(&self) {
        self.ended.send_replace(true);
        if let Some(stream) = &self.stream {
            stream.stop();
        }
    }

    /// Waits until it is the one in use no longer.
    pub(super) async fn ended(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Its subscription tells of these lists from now on.
    pub(super) fn tells_of(&self, lists: u64) {
        self.told.set(lists);
    }

    /// Whether its subscription says the same.
    pub(super) fn is_told(&self, notice: &Message) -> bool {
        self.told.value() & listening::list_of(notice) != 0
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
