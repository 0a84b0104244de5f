//! An answer of the gateway as an HTTP response.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use super::{
    body::{Content, Events},
    headers::{MCP_SESSION_ID, SERVER_TIMING, X_ACCEL_BUFFERING},
    timing,
};
use crate::gateway::{Refusal, Reply};

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
pub(super) const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const CHALLENGE: HeaderValue = HeaderValue::from_static("Bearer realm=\"mcp-gateway\"");
const UNBUFFERED: HeaderValue = HeaderValue::from_static("no");

/// A response with one body.
pub(super) fn whole(status: u16, kind: HeaderValue, body: Bytes) -> Response<Content> {
    let mut response = Response::new(Content::Whole(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// A response without a body.
pub(super) fn empty(status: StatusCode) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Bytes::new()));
    *response.status_mut() = status;
    response
}

/// A reply of the gateway, as `kind`.
pub(super) fn reply(reply: Reply, kind: HeaderValue) -> Response<Content> {
    let mut response = whole(reply.status, kind, reply.body);
    if let Some(session) = reply.session.and_then(|id| HeaderValue::from_str(&id).ok()) {
        response.headers_mut().insert(MCP_SESSION_ID, session);
    }
    if let Some(after) = reply.retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, whole_seconds(after));
    }
    if let Some(timing) = reply.timing.as_ref().and_then(timing::value) {
        response.headers_mut().insert(SERVER_TIMING, timing);
    }
    response
}

/// Rounded up, and never 0: whoever comes back then is not early (RFC 9110, section 10.2.3).
fn whole_seconds(after: Duration) -> HeaderValue {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    HeaderValue::from(seconds.max(1))
}

/// A refusal, with the headers that go with its status.
pub(super) fn refuse(refusal: &Refusal) -> Response<Content> {
    let mut response = reply(refusal.reply(None), JSON);
    let extra: Option<(HeaderName, HeaderValue)> = match refusal {
        Refusal::Unauthorized => Some((header::WWW_AUTHENTICATE, CHALLENGE)),
        Refusal::MethodNotAllowed(allowed) => {
            Some((header::ALLOW, HeaderValue::from_static(allowed)))
        }
        _ => None,
    };
    response.headers_mut().extend(extra);
    response
}

/// An event stream.
pub(super) fn events(events: Events) -> Response<Content> {
    let mut response = Response::new(Content::Events(Box::new(events)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, EVENT_STREAM);
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(X_ACCEL_BUFFERING, UNBUFFERED);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(response: &Response<Content>, name: HeaderName) -> Option<&str> {
        response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    #[test]
    fn a_reply_carries_its_session_and_when_to_come_back() {
        let given = Reply {
            status: 503,
            body: Bytes::from_static(b"{}"),
            session: Some("s-1".into()),
            retry_after: Some(Duration::from_millis(1200)),
            timing: None,
        };
        let response = reply(given, JSON);
        assert_eq!(response.status(), 503);
        assert_eq!(header(&response, MCP_SESSION_ID), Some("s-1"));
        assert_eq!(header(&response, header::RETRY_AFTER), Some("2"));
        assert_eq!(
            header(&response, header::CONTENT_TYPE),
            Some("application/json")
        );
    }

    #[test]
    fn nobody_is_asked_to_come_back_in_no_time() {
        assert_eq!(whole_seconds(Duration::ZERO), "1");
        assert_eq!(whole_seconds(Duration::from_secs(3)), "3");
        assert_eq!(whole_seconds(Duration::from_nanos(1)), "1");
    }

    #[test]
    fn refusals_carry_the_headers_their_status_asks_for() {
        let challenge = refuse(&Refusal::Unauthorized);
        assert_eq!(
            header(&challenge, header::WWW_AUTHENTICATE),
            Some("Bearer realm=\"mcp-gateway\"")
        );
        let allowed = refuse(&Refusal::MethodNotAllowed("GET, HEAD"));
        assert_eq!(header(&allowed, header::ALLOW), Some("GET, HEAD"));
    }
}
