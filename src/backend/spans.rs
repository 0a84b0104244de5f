//! What a trace says of a call to a backend, by OpenTelemetry's conventions for MCP, beside the gateway's own names.

use std::time::Duration;

use super::{Backend, Call, CallError, TransportSettings, call::outcome};
use crate::{
    failsafe::Outcome,
    protocol::Message,
    telemetry::{OpenSpan, SpanKind, Stamp, clock::micros},
};

/// The wait for a place, if the trace of the call is recorded.
pub(super) fn queued(call: &Call<'_>, from: Stamp, to: Stamp) {
    if let Some(span) = call
        .trace
        .span(SpanKind::Internal, from, || "queue".to_owned())
    {
        span.end(to);
    }
}

/// One attempt: from the moment it was admitted.
pub(super) fn attempt(
    backend: &Backend,
    call: &Call<'_>,
    admitted: Stamp,
    number: u32,
) -> Option<OpenSpan> {
    let message = &call.message;
    let name = || message.span_name().into_owned();
    let mut span = call.trace.span(SpanKind::Client, admitted, name)?;
    span.event("admitted", admitted);
    let method = message.method().unwrap_or_default();
    span.set("mcp.method.name", method.to_owned());
    if method == "tools/call" {
        span.set("gen_ai.operation.name", "execute_tool");
        span.set_some(
            "gen_ai.tool.name",
            message.name().map(|name| name.into_owned()),
        );
    }
    span.set("backend", backend.name().to_owned());
    span.set("method", method.to_owned());
    span.set("request_id", call.request_id.to_string());
    span.set("attempt", i64::from(number));
    match &backend.settings().transport {
        TransportSettings::Stdio(_) => span.set("network.transport", "pipe"),
        TransportSettings::Http(http) => {
            span.set("network.transport", "tcp");
            span.set_some("server.address", http.url.host().map(ToOwned::to_owned));
            span.set_some("server.port", http.url.port_u16().map(i64::from));
        }
        // It says itself where it calls.
        TransportSettings::Provided(_) => {}
    }
    Some(span)
}

/// Ends it with what came of it, and keeps it as an example of a call that took so long.
pub(super) fn ended(
    backend: &Backend,
    span: Option<OpenSpan>,
    answer: &Result<Message, CallError>,
    waited: Duration,
    end: Stamp,
) {
    let Some(mut span) = span else { return };
    backend.exemplars().keep(&span.trace(), micros(waited), end);
    match answer {
        Ok(message) => match (outcome(message), message.error_code()) {
            (Outcome::Success, _) => {}
            (outcome, Some(code)) => {
                span.set("rpc.response.status_code", code.to_string());
                let sentence = message.error_message().unwrap_or_default().into_owned();
                span.fail(outcome.label(), sentence);
            }
            (outcome, None) => span.fail(outcome.label(), "The tool says that it failed.".into()),
        },
        Err(error) => span.fail(error.outcome().label(), error.to_string()),
    }
    span.end(end);
}
