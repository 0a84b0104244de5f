//! One request on its way through the gateway: the message, and everything known of who sent it.

use std::sync::Arc;

use bytes::Bytes;
use tokio::{sync::mpsc, time::Instant};

use super::{inbound::Caller, sessions::Session};
use crate::{
    backend::Call,
    failsafe::ToolCircuit,
    protocol::Message,
    telemetry::{RequestId, Stamp},
};

/// Who sent what, and how long they wait.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) message: Message,
    pub(super) caller: Arc<Caller>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) request_id: RequestId,
    pub(super) started: Stamp,
    pub(super) deadline: Instant,
    /// Where to put what a backend sends before its answer.
    pub(super) events: Option<mpsc::Sender<Message>>,
}

impl Request {
    /// The id as it was written.
    pub(super) fn id(&self) -> &[u8] {
        self.message.id().unwrap_or(b"null")
    }

    /// The answer to it, its result as raw JSON.
    pub(super) fn respond(&self, result: &[u8]) -> Bytes {
        Message::response(self.id(), result).bytes().clone()
    }

    /// The id, sharing the message's bytes.
    pub(super) fn shared_id(&self) -> Bytes {
        let id = self.message.id().unwrap_or_default();
        self.message.bytes().slice_ref(id)
    }

    /// The call that takes `message` to a backend for this request.
    pub(super) fn call<'a>(
        &self,
        message: Message,
        repeatable: bool,
        tool: Option<&'a ToolCircuit>,
    ) -> Call<'a> {
        Call {
            message,
            request_id: self.request_id,
            started: self.started,
            deadline: self.deadline,
            limited: true,
            repeatable,
            tool,
            events: self.events.clone(),
        }
    }
}
