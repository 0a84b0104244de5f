//! One call to a backend: what is asked, what comes back, and each way it can fail.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};

use crate::{
    protocol::Message,
    telemetry::{RequestId, Stamp},
};

/// One request on its way to a backend.
#[derive(Debug)]
pub struct Call {
    /// The JSON-RPC request. Its id and progress token are the caller's: the transport puts its own in their place.
    pub message: Message,
    /// The name of the request in spans and logs.
    pub request_id: RequestId,
    /// When the request reached the gateway: the first of the two clock reads.
    pub started: Stamp,
    /// When the caller stops waiting.
    pub deadline: Instant,
    /// Whether the request may be sent again after it may have run.
    pub repeatable: bool,
    /// Where messages go that the backend sends for this call before its answer (progress, log lines),
    /// progress tokens restored. Without it they are dropped.
    pub events: Option<mpsc::Sender<Message>>,
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
}

/// Why a call has no answer. Each says whose fault it is and what to do in its `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The breaker is open; nothing was sent.
    CircuitOpen {
        /// When the next probe is due.
        retry_after: Duration,
        /// How long it has been open.
        open_for: Duration,
        /// The failure that opened it, as a sentence.
        cause: Option<Box<str>>,
    },
    /// No place in the queue, or none in time; nothing was sent.
    Overloaded {
        /// Calls in flight when this one was refused.
        in_flight: usize,
        /// How long it waited; zero when the queue itself was full.
        waited: Duration,
    },
    /// The backend's own rate limit in the configuration refused the call; nothing was sent.
    RateLimited {
        /// When the next call may go.
        retry_after: Duration,
    },
    /// The backend could not be reached; the request was never sent.
    Unreachable {
        /// What happened, as a sentence.
        reason: Box<str>,
        /// True when trying again cannot help until the configuration is mended.
        permanent: bool,
        /// When the next attempt to start it is due.
        retry_after: Option<Duration>,
    },
    /// The connection broke after the request may have been read: exit status, last lines of stderr, or socket error.
    Lost {
        /// What happened, as a sentence.
        reason: Box<str>,
    },
    /// No answer before the deadline.
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The backend answered HTTP 429.
    Throttled {
        /// What it asked for.
        retry_after: Duration,
    },
    /// The backend answered HTTP 401 or 403.
    Denied {
        /// The HTTP status.
        status: u16,
    },
    /// The backend answered another HTTP error.
    Http {
        /// The HTTP status.
        status: u16,
        /// The beginning of its body, for people.
        excerpt: Box<str>,
    },
    /// The backend broke the protocol: malformed JSON, an oversized message, no answer in a closed stream.
    Protocol {
        /// What was wrong, as a sentence.
        reason: Box<str>,
    },
    /// An operator stopped the backend, or the gateway is shutting down.
    Stopped,
}
