//! The span of one HTTP request, from its head to the last byte of its answer, by OpenTelemetry's conventions for HTTP servers
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server>).

use http::{Method, Request, StatusCode, Uri};

use crate::telemetry::{OpenSpan, RequestId, Stamp, Trace};

/// A request that has no answer yet. One that never gets any is written down all the same.
pub(super) struct Asked {
    trace: Trace,
    started: Stamp,
    request_id: RequestId,
    method: Method,
    uri: Uri,
    is_answered: bool,
}

impl Asked {
    /// Nothing is kept of a request that cannot be traced.
    pub(super) fn of<B>(
        request: &Request<B>,
        trace: &Trace,
        (request_id, started): (RequestId, Stamp),
    ) -> Option<Self> {
        trace.is_recording().then(|| Self {
            trace: trace.clone(),
            started,
            request_id,
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_answered: false,
        })
    }

    /// The span, which ends when it is dropped; none if the request was no message, or its trace is not recorded.
    pub(super) fn answered(mut self, status: StatusCode) -> Option<OpenSpan> {
        self.is_answered = true;
        let mut span = self.span()?;
        span.set("http.response.status_code", i64::from(status.as_u16()));
        if status.is_server_error() {
            span.fail("http_error", format!("answered with {status}"));
        }
        Some(span)
    }

    fn span(&self) -> Option<OpenSpan> {
        let name = || format!("{} {}", self.method, route(self.uri.path()));
        let mut span = self.trace.root(self.started, name)?;
        span.set("http.request.method", self.method.to_string());
        span.set("http.route", route(self.uri.path()));
        span.set("url.path", self.uri.path().to_owned());
        span.set("method", self.method.to_string());
        span.set("uri", self.uri.path().to_owned());
        span.set("request_id", self.request_id.to_string());
        Some(span)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if !self.is_answered
            && let Some(mut span) = self.span()
        {
            span.fail(
                "client_closed",
                "The client went away before the answer.".to_owned(),
            );
        }
    }
}

/// The route of a path: few of them, whatever clients ask for.
fn route(path: &str) -> &'static str {
    let is_one = path
        .strip_prefix("/mcp/")
        .is_some_and(|rest| !rest.is_empty());
    match path.rsplit('/').next() {
        Some("message") => "/message",
        _ if is_one => "/mcp/{backend}",
        _ => "/mcp",
    }
}
