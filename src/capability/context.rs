//! What is known of a call of a capability besides its arguments.

use tokio::time::Instant;

use crate::telemetry::{RequestId, Trace};

/// Who calls, in which request, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The name of the credential by which the client is known; empty for the gateway itself.
    pub caller: &'a str,
    /// The name of the request in spans and logs.
    pub request_id: RequestId,
    /// The part of the trace that the call is in.
    pub trace: &'a Trace,
    /// When its caller stops waiting.
    pub deadline: Instant,
}
