//! The header names that are ours, and reading a header as text.

use http::{HeaderMap, HeaderName};

use crate::telemetry::Carrier;

/// The name of a request, from the caller or made here.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The same name under the header that older clients read.
pub(super) const X_TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
/// The client session (MCP, Streamable HTTP, session management).
pub(super) const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The event after which a client wants its stream to go on (HTML standard, section 9.2).
pub(super) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The revision a client speaks after `initialize` (MCP, Streamable HTTP, protocol version header).
pub(super) const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The method in the body (MCP 2026-07-28, basic/transports/streamable-http, standard request headers).
pub(super) const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The tool, prompt or resource in the body (as above).
pub(super) const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");
/// A key, for clients that cannot send `Authorization`.
pub(super) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The request's part of a trace (W3C Trace Context).
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What vendors say of it (as above).
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// What the application says of the request (W3C Baggage).
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
/// Our part of the trace, for the client (W3C Trace Context, level 2).
pub(super) const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
/// Where the time of an answer went (W3C Server Timing).
pub(super) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Tells nginx not to hold back a stream.
pub(super) const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Where a browser says a request comes from (Fetch Metadata Request Headers).
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What the live page says of itself when it acts.
pub(super) const X_REQUESTED_BY: HeaderName = HeaderName::from_static("x-requested-by");

/// What the names of headers begin with that repeat arguments of a tool (as above, custom headers from tool parameters).
const MCP_PARAM: &str = "mcp-param-";

/// The headers that repeat arguments of a tool, in the order of their names.
pub(super) fn params(headers: &HeaderMap) -> Vec<(Box<str>, Box<str>)> {
    let names = headers
        .keys()
        .filter(|name| name.as_str().starts_with(MCP_PARAM));
    let params = names.filter_map(|name| Some((name.as_str().into(), all(headers, name)?)));
    params.collect()
}

/// All values of a header as one text, as a reader of combined lines sees it (RFC 9110, section 5.3): what is sent twice is
/// another value than what is sent once. None as in [`text`].
pub(super) fn all(headers: &HeaderMap, name: &HeaderName) -> Option<Box<str>> {
    let mut values = headers.get_all(name).iter();
    let mut text = values.next()?.to_str().ok()?.to_owned();
    for value in values {
        text.push_str(", ");
        text.push_str(value.to_str().ok()?);
    }
    Some(text.into())
}

/// What the headers say of the trace that the request belongs to.
pub(super) fn trace(headers: &HeaderMap) -> Carrier<'_> {
    let Some(traceparent) = text(headers, &TRACEPARENT) else {
        return Carrier::default();
    };
    Carrier {
        traceparent: Some(traceparent),
        tracestate: text(headers, &TRACESTATE),
        baggage: text(headers, &BAGGAGE),
    }
}

/// The value of a header as text; none if it is absent or holds bytes that are not printable ASCII.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
