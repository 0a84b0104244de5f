//! One call to a backend: what is asked, what comes back, and each way it can fail.

use std::time::Duration;

use tokio::time::Instant;

use super::{EventSender, Line, Patience, Spent};
use crate::{
    failsafe::{Outcome, ToolCircuit},
    protocol::Message,
    telemetry::{RequestId, Stamp, Trace},
};

/// A client, as a backend may have to be told of it.
#[derive(Clone, Copy, Debug)]
pub enum Speaker<'a> {
    /// One of revision 2026-07-28, whose message says everything itself.
    Modern,
    /// One of an older revision.
    Legacy(Introduced<'a>),
}

/// What a modern backend is told of a client of an older revision.
#[derive(Clone, Copy, Debug, Default)]
pub struct Introduced<'a> {
    /// Raw members of `_meta` that introduce it; without any, it is the gateway, which can be asked for nothing.
    pub by: Option<&'a str>,
    /// The level from which on it wants log lines; none without one.
    pub log_level: Option<&'a str>,
}

impl Speaker<'_> {
    /// The gateway itself.
    pub const GATEWAY: Self = Self::Legacy(Introduced {
        by: None,
        log_level: None,
    });
}

/// A header that repeats an argument of a tool: its name, `Mcp-Param-*`, and its value as it was sent.
pub type ParamHeader = (Box<str>, Box<str>);

/// One request on its way to a backend.
#[derive(Debug)]
pub struct Call<'a> {
    /// The JSON-RPC request. Its id and progress token are the caller's: the transport puts its own in their place.
    pub message: Message,
    /// Who asks.
    pub speaker: Speaker<'a>,
    /// The name of the credential by which the client is known; empty for the gateway itself.
    pub caller: &'a str,
    /// The name of the request in spans and logs.
    pub request_id: RequestId,
    /// The trace that it belongs to.
    pub trace: &'a Trace,
    /// When the request reached the gateway: the first of the two clock reads.
    pub started: Stamp,
    /// The same moment on the clock of the runtime's timers, from which the backend's own timeout counts. It is not taken
    /// from the stamp: the two clocks are calibrated apart, and a program that runs for weeks would see them part by seconds.
    pub began: Instant,
    /// When the caller stops waiting.
    pub deadline: Instant,
    /// Whether it spends the configured rate limit; what the gateway asks for itself does not.
    pub limited: bool,
    /// Whether the request may be sent again after it may have run.
    pub repeatable: bool,
    /// Where to put what it waited for. With it the way to the backend is told apart from the wait for it, which takes
    /// another look at the clock.
    pub spent: Option<&'a Spent>,
    /// The tool that is called, where it is known: it may have a circuit of its own.
    pub tool: Option<&'a ToolCircuit>,
    /// Where messages go that the backend sends for this call before its answer (progress, log lines),
    /// progress tokens restored. Without it they are dropped.
    pub events: Option<EventSender>,
    /// The client's own way to the backend; without it the one that all share.
    pub line: Option<&'a Line>,
    /// Arguments that a modern backend wants in headers too.
    pub param_headers: &'a [ParamHeader],
    /// How long the client was asked for something meanwhile.
    pub patience: Option<&'a Patience>,
}

impl Call<'_> {
    /// A call of the gateway itself that reads: it spends no rate limit, may be sent again, and nobody hears what comes before
    /// its answer.
    #[must_use]
    pub fn of_gateway(message: Message, started: Stamp, deadline: Instant) -> Self {
        Self {
            message,
            speaker: Speaker::GATEWAY,
            caller: "",
            request_id: RequestId::random(),
            trace: Trace::none(),
            started,
            began: Instant::now(),
            deadline,
            limited: false,
            repeatable: true,
            spent: None,
            tool: None,
            events: None,
            line: None,
            param_headers: &[],
            patience: None,
        }
    }
}

/// What a backend answered: a JSON-RPC response with a `result` or an `error`.
#[derive(Debug)]
pub struct Answer {
    /// The response as it came; its id is the transport's, not the caller's.
    pub message: Message,
    /// Time spent waiting for a place in the queue.
    pub queued: Duration,
    /// Time spent waiting for the backend, all attempts together.
    pub waited: Duration,
    /// When it was there: the second of the two clock reads.
    pub ended: Stamp,
}

impl Answer {
    /// What the call came to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        outcome(&self.message)
    }
}

/// What a response means. A result that says `isError` is a success to the breaker: the tool has answered.
pub(super) fn outcome(answer: &Message) -> Outcome {
    match answer.error_code() {
        Some(code) => Outcome::of_rpc_error(code, &answer.error_message().unwrap_or_default()),
        None if answer.is_tool_error() => Outcome::ToolError,
        None => Outcome::Success,
    }
}
