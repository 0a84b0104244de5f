//! A request as the server hands it in, and what it gets back.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;

use super::owed::Owed;
use crate::{
    backend::ParamHeader,
    telemetry::{RequestId, Stamp, Trace},
};

/// Which endpoint was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// `/mcp`: all backends behind one.
    Aggregate,
    /// `/mcp/{backend}`: one backend, transparent.
    Backend(Box<str>),
}

/// Who asks, and what they may do. Made once per credential and shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The credential's name in logs; never the credential.
    pub name: Box<str>,
    /// The backends it may use; all if absent.
    pub backends: Option<Vec<String>>,
    /// The tools it may use, by name; all if absent.
    pub allowed_tools: Option<Vec<String>>,
    /// Tools it may not use, by name.
    pub denied_tools: Vec<String>,
    /// Whether it may stop and revive backends, and have the configuration read again.
    pub operator: bool,
    /// Whether it stands for all clients, because no keys are in use: then nothing is kept back for others.
    pub is_everybody: bool,
    /// What it may send beyond its limit.
    pub owed: Owed,
}

/// One POST.
#[derive(Debug)]
pub struct Inbound {
    /// Which endpoint.
    pub route: Route,
    /// Who asks.
    pub caller: Arc<Caller>,
    /// The `Mcp-Session-Id` header.
    pub session: Option<Box<str>>,
    /// The `MCP-Protocol-Version` header.
    pub revision: Option<Box<str>>,
    /// What other headers repeat of the body; none where the transport has no headers.
    pub mirrored: Option<Mirrored>,
    /// The name of this request.
    pub request_id: RequestId,
    /// The trace it belongs to.
    pub trace: Trace,
    /// When its head was read, or the last of its body where that came later.
    pub started: Stamp,
    /// Whether the client takes `text/event-stream`.
    pub accepts_stream: bool,
    /// The whole body.
    pub body: Bytes,
}

/// Headers that repeat parts of the body, so that they can be seen without reading it
/// (MCP 2026-07-28, basic/transports/streamable-http, request metadata).
#[derive(Debug, Default)]
pub struct Mirrored {
    /// `Mcp-Method`.
    pub method: Option<Box<str>>,
    /// `Mcp-Name`, as it was sent.
    pub name: Option<Box<str>>,
    /// `Mcp-Param-*`, as they were sent, their names in lower case.
    pub params: Vec<ParamHeader>,
}

/// What a POST gets.
pub enum Outbound {
    /// One JSON body.
    Reply(Reply),
    /// A stream of JSON-RPC messages, the answer last.
    Stream(Box<dyn EventStream>),
    /// 202 without a body: a notification, a response, or a request that was cancelled.
    Accepted,
}

/// One JSON answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The JSON-RPC message.
    pub body: Bytes,
    /// The session that `initialize` opened.
    pub session: Option<Box<str>>,
    /// When to come back, for 429 and 503.
    pub retry_after: Option<Duration>,
    /// Where its time went, if that was measured and it was at a backend.
    pub timing: Option<Timing>,
}

/// Where the time of one request went, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Waiting for a place at the backend.
    pub queue: u64,
    /// Waiting for the backend, with what it took to start or connect it.
    pub backend: u64,
    /// Waiting before it was sent again.
    pub retry: u64,
    /// Everything else, from its head to its answer.
    pub gateway: u64,
}

/// JSON-RPC messages one after another; `None` ends the stream.
/// Dropping it cancels what it waits for.
pub trait EventStream: Send {
    /// The next message.
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Sent>>;
}

/// One message of a stream.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The JSON-RPC message.
    pub message: Bytes,
    /// By which its client takes the stream up again; none where it cannot.
    pub id: Option<Box<str>>,
}

impl From<Bytes> for Sent {
    fn from(message: Bytes) -> Self {
        Self { message, id: None }
    }
}

/// A stream that goes on where its client was.
pub struct GoneOn {
    /// What follows.
    pub stream: Box<dyn EventStream>,
    /// Whether something in between is not kept any more.
    pub has_gap: bool,
    /// Whether it is that of a call, on which its answer comes.
    pub of_call: bool,
}

impl From<Box<dyn EventStream>> for GoneOn {
    /// One that begins.
    fn from(stream: Box<dyn EventStream>) -> Self {
        Self {
            stream,
            has_gap: false,
            of_call: false,
        }
    }
}
