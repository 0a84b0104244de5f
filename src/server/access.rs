//! The access log: one line for each HTTP request, once its answer has gone or its client has.

use std::sync::Arc;

use http::{Method, Request, StatusCode, Uri};

use crate::{
    gateway::Caller,
    telemetry::{Clock, RequestId, Stamp, Trace, clock::milliseconds},
};

/// The status of a request whose client went away before there was one, as others call it.
const CLIENT_GONE: u16 = 499;

/// A line that is written when this is dropped.
#[derive(Debug)]
pub(super) struct AccessLine {
    clock: Clock,
    started: Stamp,
    request_id: RequestId,
    method: Method,
    uri: Uri,
    caller: Option<Arc<Caller>>,
    trace_id: Option<String>,
    status: u16,
    bytes: u64,
}

impl AccessLine {
    /// The line of a request that has no answer yet.
    pub(super) fn of<B>(
        request: &Request<B>,
        clock: &Clock,
        (request_id, started): (RequestId, Stamp),
    ) -> Box<Self> {
        Box::new(Self {
            clock: clock.clone(),
            started,
            request_id,
            method: request.method().clone(),
            uri: request.uri().clone(),
            caller: None,
            trace_id: None,
            status: CLIENT_GONE,
            bytes: 0,
        })
    }

    /// Who asks.
    pub(super) fn asked_by(&mut self, caller: &Arc<Caller>) {
        self.caller = Some(Arc::clone(caller));
    }

    /// The answer is there.
    pub(super) fn answered(&mut self, status: StatusCode, trace: &Trace) {
        self.status = status.as_u16();
        self.trace_id = trace.id().map(|id| id.to_string());
    }

    /// So many bytes of its body are on their way.
    pub(super) const fn sent(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}

impl Drop for AccessLine {
    fn drop(&mut self) {
        let taken = self.clock.now().since(self.started);
        let duration_ms = milliseconds(taken);
        // The query is left out: it may carry a secret.
        tracing::info!(
            target: "mcp_gateway::access",
            method = %self.method,
            path = self.uri.path(),
            status = self.status,
            bytes = self.bytes,
            duration_ms,
            caller = self.caller.as_ref().map(|caller| &*caller.name),
            request_id = %self.request_id,
            trace_id = self.trace_id.as_deref(),
            "HTTP request"
        );
    }
}
