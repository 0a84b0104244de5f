//! Where a transport puts what belongs to no call, and what becomes of requests that its backend sends.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::wire;
use crate::{
    backend::{Ask, Client, EventSender},
    protocol::{Message, Revision, codes},
};

/// Who listens to a backend outside of calls.
#[derive(Clone, Debug)]
pub(in crate::backend) enum Outlet {
    /// All who use a backend together; they can be asked for nothing.
    Everybody(broadcast::Sender<Message>),
    /// The one client whose session or child it is.
    Client {
        client: Arc<Client>,
        outside: EventSender,
    },
}

impl Outlet {
    /// A notification that belongs to no call.
    pub(super) fn say(&self, notice: Message) {
        match self {
            Self::Everybody(notices) => {
                let _ = notices.send(notice);
            }
            Self::Client { outside, .. } => {
                if !outside.put(notice) {
                    tracing::debug!("A notice was dropped: its client does not read");
                }
            }
        }
    }

    /// A notification that came while these calls were open. Where all are of one client, it hears on the stream of one of them
    /// that a list has changed, before the answer that may be the reason.
    pub(super) fn say_during<'a>(
        &self,
        calls: impl IntoIterator<Item = &'a EventSender>,
        notice: Message,
    ) {
        match self {
            Self::Client { outside, .. }
                if notice.method().is_some_and(wire::is_list_change)
                    && calls.into_iter().any(|call| call.put(notice.clone())) =>
            {
                if !outside.put_told(notice) {
                    tracing::debug!("A changed list is not read again: too much is said");
                }
            }
            _ => self.say(notice),
        }
    }

    /// A request of the backend: what the client takes is handed to it, on the stream of the `call` that it came with or
    /// outside of all, and `reply` takes its answer, and before that how far it is. Gives what is answered at once: `ping`, and that anything else is declined.
    pub(super) fn ask(
        &self,
        call: Option<&EventSender>,
        request: Message,
        reply: impl Fn(Message) + Send + Sync + 'static,
    ) -> Option<Message> {
        let (id, method) = (request.id().unwrap_or(b"null"), request.method());
        let method = method.unwrap_or_default();
        if method == "ping" {
            return Some(Message::response(id, b"{}"));
        }
        match self {
            Self::Client { client, outside } if client.takes(method) => {
                call.unwrap_or(outside).ask(Ask::new(request, reply));
                None
            }
            _ => Some(Message::error_response(
                id,
                codes::METHOD_NOT_FOUND,
                &format!("the client declared no capability for `{method}`"),
                None,
            )),
        }
    }

    /// The child or session is gone that asked: nobody waits for an answer any more.
    pub(super) fn over(&self) {
        if let Self::Client { outside, .. } = self {
            outside.over();
        }
    }

    /// The request that opens a session.
    pub(super) fn initialize(&self, revision: Revision) -> Message {
        match self {
            Self::Everybody(_) => wire::initialize(revision, wire::CLIENT, "{}"),
            Self::Client { client, .. } => {
                wire::initialize(revision, client.info(), client.capabilities())
            }
        }
    }
}
