//! What a trace says of a request inside the gateway, by OpenTelemetry's conventions for MCP
//! (<https://github.com/open-telemetry/semantic-conventions-genai>, docs/gen-ai/mcp.md, v0.1.0).

use std::{borrow::Cow, fmt::Write};

use ring::digest::{SHA256, digest};

use super::{
    inbound::Reply,
    request::{Request, Speaks},
    router::Place,
    sessions::Session,
};
use crate::{
    protocol::{MODERN, Message},
    telemetry::{Carrier, OpenSpan, SpanKind, Trace},
};

/// Takes over what a message says of the trace it belongs to, and gives the trace's name to the log lines of the request.
pub(super) fn join(trace: &Trace, message: &Message) {
    if trace.is_none() {
        return;
    }
    let [parent, state, baggage] = message.meta_texts(["traceparent", "tracestate", "baggage"]);
    trace.joined(&Carrier {
        traceparent: parent.as_deref(),
        tracestate: state.as_deref(),
        baggage: baggage.as_deref(),
    });
    if let Some(id) = trace.id() {
        tracing::Span::current().record("trace_id", tracing::field::display(id));
    }
}

/// Opens the span of a request, if its trace is recorded; the request that comes back is inside of it.
pub(super) fn opened(place: &Place, request: &Request) -> Option<(Request, OpenSpan)> {
    let message = &request.message;
    let name = || message.span_name().into_owned();
    let mut span = request
        .trace
        .span(SpanKind::Server, request.started, name)?;
    span.set(
        "mcp.method.name",
        message.method().unwrap_or_default().to_owned(),
    );
    span.set("jsonrpc.request.id", shown_id(message).into_owned());
    span.set("request_id", request.request_id.to_string());
    span.set_some(
        "gen_ai.operation.name",
        is_tool(message).then_some("execute_tool"),
    );
    span.set_some("gen_ai.tool.name", subject(message, "tools/call"));
    span.set_some("gen_ai.prompt.name", subject(message, "prompts/get"));
    span.set_some("mcp.resource.uri", message.uri().map(Cow::into_owned));
    span.set_some("mcp.protocol.version", revision(request));
    span.set_some(
        "mcp.session.id",
        request.session.as_deref().map(session_name),
    );
    if let Place::Backend(member) = place {
        span.set("backend", member.name().to_owned());
    }
    let mut inside = request.clone();
    inside.trace = request.trace.inside(Some(&span));
    Some((inside, span))
}

/// Ends it with what the reply says.
pub(super) fn ended(mut span: OpenSpan, reply: &Reply) {
    let Ok(message) = Message::parse(reply.body.clone()) else {
        return;
    };
    if let Some(code) = message.error_code() {
        span.set("rpc.response.status_code", code.to_string());
        span.fail(
            "jsonrpc_error",
            message.error_message().unwrap_or_default().into_owned(),
        );
    } else if message.is_tool_error() {
        span.fail("tool_error", "The tool says that it failed.".to_owned());
    }
}

fn is_tool(message: &Message) -> bool {
    message.method() == Some("tools/call")
}

fn subject(message: &Message, method: &str) -> Option<String> {
    let subject = message
        .name()
        .filter(|_| message.method() == Some(method))?;
    Some(subject.into_owned())
}

fn shown_id(message: &Message) -> Cow<'_, str> {
    let id = String::from_utf8_lossy(message.id().unwrap_or_default());
    match id.strip_prefix('"').and_then(|id| id.strip_suffix('"')) {
        Some(text) => Cow::Owned(text.to_owned()),
        None => id,
    }
}

/// None where an older client has no session that would say it.
fn revision(request: &Request) -> Option<&'static str> {
    match (&request.speaker, &request.session) {
        (Speaks::Modern, _) => Some(MODERN),
        (Speaks::Legacy, session) => {
            let session = session.as_ref()?;
            Some(session.revision().as_str())
        }
    }
}

/// Tells sessions apart without giving one away: whoever knows its id could speak in it.
fn session_name(session: &Session) -> String {
    let digest = digest(&SHA256, session.id().as_bytes());
    digest.as_ref()[..8]
        .iter()
        .fold(String::with_capacity(16), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        })
}
