//! Which era a backend speaks: asked once with `server/discover`, remembered, and asked again after failures.
//!
//! A client is served in its own era where the backend speaks both, so that nothing has to be translated.

use std::{fmt::Write, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout, timeout_at};

use super::{
    answer::Reading,
    exchange::{Says, post},
    session::{Session, says_lost},
    transport::Shared,
};
use crate::{
    backend::{
        CallError, ParamHeader,
        transport::{ServerInfo, wire},
    },
    protocol::{MODERN, Message, codes, encoded_header},
};

/// How long a backend may be silent to a question that it may not know. A legacy one that does not answer what it does not
/// know is not asked again until it fails.
const DISCOVER_TIMEOUT: Duration = Duration::from_secs(5);

impl Shared {
    /// What takes the place of a session for a modern client; nothing if the backend is a legacy one.
    pub(super) async fn modern_for(
        self: &Arc<Self>,
        deadline: Instant,
        probe: bool,
    ) -> Result<Option<Arc<Session>>, CallError> {
        if let Some(session) = self.known_modern(probe) {
            return Ok(Some(session));
        }
        if !self.is_to_be_asked(probe) {
            return Ok(None);
        }
        timeout_at(deadline, self.ask_once(probe))
            .await
            .unwrap_or_else(|_| Err(CallError::unreachable("it has not said yet what it speaks")))
    }

    /// A probe of the breaker wants one in which no call has failed.
    fn known_modern(&self, probe: bool) -> Option<Arc<Session>> {
        let session = self.modern.load_full()?;
        (!probe || !session.is_doubted()).then_some(session)
    }

    /// A probe of the breaker asks whatever the backend has not said a moment ago.
    fn is_to_be_asked(&self, probe: bool) -> bool {
        self.is_legacy.value() == 0 && (probe || self.question.is_due())
    }

    async fn ask_once(self: &Arc<Self>, probe: bool) -> Result<Option<Arc<Session>>, CallError> {
        let _turn = self.opening.lock().await;
        if let Some(session) = self.known_modern(probe) {
            return Ok(Some(session));
        }
        if !self.is_to_be_asked(probe) {
            return Ok(None);
        }
        let pass = self.gate.enter()?;
        let Some(session) = self.discover().await? else {
            return Ok(None);
        };
        self.gate.keep(pass, || self.keep_modern(&session))?;
        self.listen(&session);
        Ok(Some(session))
    }

    /// Asks whether the backend is a modern one. What it answers is remembered, and a failure for a while.
    pub(super) async fn discover(self: &Arc<Self>) -> Result<Option<Arc<Session>>, CallError> {
        let found = self.try_discover().await;
        match &found {
            Ok(Some(_)) => self.question.ask_anew(),
            _ => self.question.was_asked(),
        }
        found
    }

    async fn try_discover(self: &Arc<Self>) -> Result<Option<Arc<Session>>, CallError> {
        let asked = timeout(DISCOVER_TIMEOUT, self.ask_what_it_is()).await;
        let said = match asked {
            Ok(Ok(answer)) => ServerInfo::from_discovery(&answer),
            Ok(Err(CallError::Http { status, .. })) if status < 500 => None,
            Ok(Err(CallError::Protocol { .. })) | Err(_) => None,
            // Something is wrong with it; whoever calls it will hear what.
            Ok(Err(CallError::Http { .. } | CallError::Lost { .. })) => return Ok(None),
            Ok(Err(error)) => return Err(error),
        };
        let Some(info) = said else {
            self.is_legacy.set(1);
            return Ok(None);
        };
        tracing::info!(backend = %self.backend.name, "Backend speaks revision 2026-07-28");
        Ok(Some(Arc::new(Session::modern(info))))
    }

    async fn ask_what_it_is(self: &Arc<Self>) -> Result<Message, CallError> {
        let serial = self.serials.next();
        let name = serial.to_string();
        let question = wire::discover();
        let mut edit = wire::outgoing(&question, &name);
        let mirrored = format!(
            "mcp-protocol-version: {}\r\n{}",
            MODERN,
            mirrored(&question, &[])
        );
        let says = Says {
            mirrored: &mirrored,
            ..Says::default()
        };
        let request = post(self.pool.endpoint(), says, edit.pieces());
        let (head, lease) = self.pool.send(&request).await?;
        let reading = Reading {
            serial,
            in_session: false,
            settings: &self.backend,
            bound: &self.bound,
            known: None,
            aside: &|_| (),
        };
        reading.answer(&head, lease).await
    }

    /// After a failure the backend may come back as another one.
    pub(super) fn ask_again(&self) {
        self.is_legacy.set(0);
    }
}

/// Whether a call was refused because another server answers now, one of the other era. A modern one says that it knows no such
/// revision, or misses what it is told in headers; an older one misses the session, before it reads for which id, or answers in
/// words that are no JSON-RPC (MCP 2026-07-28, basic/versioning, backward compatibility).
pub(super) fn is_of_another_era(session: &Session, answer: &Result<Message, CallError>) -> bool {
    match answer {
        Ok(answer) if session.is_modern() => {
            let is_nameless = answer.error().is_some() && answer.id() == Some(b"null");
            is_nameless
                || says_lost(answer)
                || answer.error_code() == Some(codes::UNSUPPORTED_REVISION)
        }
        Ok(answer) => answer.error_code().is_some_and(|code| {
            [codes::UNSUPPORTED_REVISION, codes::HEADER_MISMATCH].contains(&code)
        }),
        Err(CallError::Http { status, .. }) => {
            session.is_modern() && [400, 404, 405].contains(status)
        }
        Err(_) => false,
    }
}

/// The header lines that repeat parts of a modern request
/// (MCP 2026-07-28, basic/transports/streamable-http, request metadata).
pub(super) fn mirrored(message: &Message, params: &[ParamHeader]) -> String {
    let method = message.method().unwrap_or_default();
    let mut lines = format!("mcp-method: {}\r\n", encoded_header(method));
    if let Some(subject) = message.subject() {
        // A string takes everything.
        let _ = write!(lines, "mcp-name: {}\r\n", encoded_header(&subject));
    }
    for (name, value) in params {
        let _ = write!(lines, "{name}: {value}\r\n");
    }
    lines
}
