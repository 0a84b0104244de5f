//! One request on its way through the gateway: the message, and everything known of who sent it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    inbound::Caller,
    operate::Operator,
    sessions::{LogLevel, Session},
};
use crate::{
    backend::{Call, Client, EventSender, Introduced, ParamHeader, Patience, Speaker, Spent},
    failsafe::ToolCircuit,
    protocol::Message,
    telemetry::{RequestId, Stamp, Trace},
};

/// What a client hears that has set no log level: until then it is the server's choice (MCP 2025-11-25, server/utilities/logging).
const UNSET: LogLevel = LogLevel::Info;

/// Which era a client is of.
#[derive(Clone)]
pub(super) enum Speaks {
    /// Its request says everything itself.
    Modern,
    /// Its session says it, if it has one.
    Legacy,
}

/// Who sent what, and how long they wait.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) message: Message,
    pub(super) speaker: Speaks,
    /// Arguments that its headers repeat.
    pub(super) param_headers: Arc<[ParamHeader]>,
    pub(super) caller: Arc<Caller>,
    pub(super) session: Option<Arc<Session>>,
    pub(super) request_id: RequestId,
    pub(super) trace: Trace,
    pub(super) started: Stamp,
    /// The same moment for timers.
    pub(super) began: Instant,
    pub(super) deadline: Instant,
    /// Where to put what a backend sends before its answer.
    pub(super) events: Option<EventSender>,
    /// Its client, where that has no session and can be asked for something.
    pub(super) client: Option<Arc<Client>>,
    /// How long its client was asked for something, where it can be asked.
    pub(super) patience: Option<Patience>,
    /// Whether what we add to it is measured, which takes two more looks at the clock.
    pub(super) timed: bool,
    /// What it waited for, if it is measured.
    pub(super) spent: Spent,
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

    /// Who asks, for the log of what operators do.
    pub(super) fn operator(&self) -> Operator<'_> {
        Operator {
            name: &self.caller.name,
            request_id: self.request_id,
        }
    }

    /// What it is called in answers: the trace that it belongs to, or itself.
    pub(super) fn trace_name(&self) -> String {
        match self.trace.id() {
            Some(id) => id.to_string(),
            None => self.request_id.to_string(),
        }
    }

    /// Whether a backend may ask its client for something.
    pub(super) fn can_be_asked(&self) -> bool {
        let in_session = || self.session.as_ref().is_some_and(|it| it.can_be_asked());
        self.client.is_some() || in_session()
    }

    /// How long its client was asked for something so far.
    pub(super) fn asked(&self) -> Duration {
        self.patience
            .as_ref()
            .map_or(Duration::ZERO, Patience::waited)
    }

    fn speaker(&self) -> Speaker<'_> {
        match &self.speaker {
            Speaks::Modern => Speaker::Modern,
            Speaks::Legacy => {
                let session = self.session.as_ref();
                let level = |session: &Arc<Session>| session.log_level().unwrap_or(UNSET);
                Speaker::Legacy(Introduced {
                    by: session.map(|session| session.client().introduction()),
                    log_level: session.map(|session| level(session).name()),
                })
            }
        }
    }

    /// The call that takes `message` to a backend for this request.
    pub(super) fn call<'a>(
        &'a self,
        message: Message,
        repeatable: bool,
        tool: Option<&'a ToolCircuit>,
    ) -> Call<'a> {
        Call {
            message,
            speaker: self.speaker(),
            caller: &self.caller.name,
            request_id: self.request_id,
            trace: &self.trace,
            started: self.started,
            began: self.began,
            deadline: self.deadline,
            limited: true,
            spent: self.timed.then_some(&self.spent),
            repeatable,
            tool,
            events: self.events.clone(),
            line: None,
            param_headers: &self.param_headers,
            patience: self.patience.as_ref(),
        }
    }
}
