//! Reads the response to one POST: a status, a JSON body or an event stream, and in it the answer that was waited for.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::time::timeout;

use super::{pool::Lease, session::says_lost};
use crate::{
    backend::CallError,
    protocol::{Kind, Message, SseDecoder},
};

/// What is read of an error body, in bytes: enough for a JSON-RPC error with its data.
const ERROR_BODY: usize = 64 << 10;
/// What is shown of an error body that is no JSON-RPC error, in bytes.
const EXCERPT: usize = 500;
/// How long a stream that has given its answer may take to end, so that its connection can be used again.
const TAIL: Duration = Duration::from_secs(1);
/// The wait after a 429 that names none.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// One response being read.
pub(super) struct Reading<'a> {
    /// Our id of the request that is answered.
    pub(super) serial: u64,
    /// The longest message taken, in bytes.
    pub(super) max_message_size: usize,
    /// Takes what comes before the answer: notifications, and requests to the client.
    pub(super) aside: &'a (dyn Fn(Message) + Send + Sync),
}

impl Reading<'_> {
    /// Waits for the answer in `response`.
    pub(super) async fn answer(
        &self,
        response: Response<Incoming>,
        lease: Lease,
    ) -> Result<Message, CallError> {
        let (head, body) = response.into_parts();
        let answer = match head.status {
            StatusCode::OK if is(&head.headers, "text/event-stream") => {
                return self.streamed(body, lease).await;
            }
            StatusCode::OK => self.message(collect(body, self.max_message_size).await?)?,
            status => refused(status, &head.headers, body).await?,
        };
        lease.give_back();
        unless_lost(answer)
    }

    fn message(&self, bytes: Bytes) -> Result<Message, CallError> {
        let message =
            Message::parse(bytes).map_err(|malformed| protocol(malformed.fault().to_string()))?;
        if message.kind() == Kind::Response && self.is_ours(&message) {
            return Ok(message);
        }
        Err(protocol("its answer does not bear the id of the request"))
    }

    fn is_ours(&self, message: &Message) -> bool {
        let id = message.id().and_then(|id| std::str::from_utf8(id).ok());
        id.and_then(|id| id.parse().ok()) == Some(self.serial)
    }

    async fn streamed(&self, mut body: Incoming, lease: Lease) -> Result<Message, CallError> {
        let mut events = SseDecoder::new(self.max_message_size);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| lost(format!("its answer broke off: {error}")))?;
            events.push(frame.data_ref().map_or(&[], |data| data));
            if let Some(answer) = self.next_answer(&mut events)? {
                tokio::spawn(finish(body, lease));
                return unless_lost(answer);
            }
        }
        Err(lost("its event stream ended without an answer"))
    }

    /// The answer among the events that have come so far; what is not the answer goes aside.
    fn next_answer(&self, events: &mut SseDecoder) -> Result<Option<Message>, CallError> {
        for event in events.by_ref() {
            let event = event.map_err(|error| protocol(error.to_string()))?;
            if event.data.is_empty() {
                continue;
            }
            let message = Message::parse(event.data)
                .map_err(|malformed| protocol(malformed.fault().to_string()))?;
            if message.kind() != Kind::Response {
                (self.aside)(message);
            } else if self.is_ours(&message) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }
}

fn unless_lost(answer: Message) -> Result<Message, CallError> {
    if says_lost(&answer) {
        Err(CallError::SessionLost)
    } else {
        Ok(answer)
    }
}

/// Reads a stream that has given its answer to its end.
async fn finish(mut body: Incoming, lease: Lease) {
    let ended = timeout(TAIL, async {
        while let Some(Ok(_)) = body.frame().await {}
    })
    .await;
    if ended.is_ok() {
        lease.give_back();
    }
}

/// The answer in an error response, if it has one: a JSON-RPC error in a 4xx is an answer of a healthy backend.
async fn refused(
    status: StatusCode,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Message, CallError> {
    let retry_after = retry_after(headers);
    match status {
        StatusCode::TOO_MANY_REQUESTS => {
            return Err(CallError::Throttled {
                retry_after: retry_after.unwrap_or(DEFAULT_RETRY_AFTER),
            });
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(CallError::Denied {
                status: status.as_u16(),
            });
        }
        _ => {}
    }
    let text = beginning(body).await;
    let answer = Message::parse(text.clone())
        .ok()
        .filter(|message| message.error().is_some());
    match answer {
        Some(answer) if says_lost(&answer) => Err(CallError::SessionLost),
        _ if status == StatusCode::NOT_FOUND => Err(CallError::SessionLost),
        Some(answer) if status.is_client_error() => Ok(answer),
        _ => {
            let excerpt = String::from_utf8_lossy(&text[..text.len().min(EXCERPT)]);
            Err(CallError::Http {
                status: status.as_u16(),
                excerpt: excerpt.trim().into(),
                retry_after,
            })
        }
    }
}

/// The first [`ERROR_BODY`] bytes of a body, or what came of them.
async fn beginning(mut body: Incoming) -> Bytes {
    let mut text = BytesMut::new();
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        let room = ERROR_BODY - text.len();
        text.extend_from_slice(&data[..room.min(data.len())]);
        if text.len() == ERROR_BODY {
            break;
        }
    }
    text.freeze()
}

/// The whole body, if it is not longer than `limit` bytes.
async fn collect(mut body: Incoming, limit: usize) -> Result<Bytes, CallError> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if expected > limit {
        return Err(protocol(format!("its answer is longer than {limit} bytes")));
    }
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| lost(format!("its answer broke off: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if whole.is_empty() && data.len() == expected {
            return Ok(data);
        }
        if whole.len() + data.len() > limit {
            return Err(protocol(format!("its answer is longer than {limit} bytes")));
        }
        whole.reserve(expected.max(data.len()).saturating_sub(whole.len()));
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

fn is(headers: &HeaderMap, media_type: &str) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .is_some_and(|value| value.trim().eq_ignore_ascii_case(media_type))
}

/// `Retry-After` in seconds; the form with a date is taken relative to the response's own `Date`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let value = text(header::RETRY_AFTER)?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let (until, now) = (
        httpdate::parse_http_date(value).ok()?,
        httpdate::parse_http_date(text(header::DATE)?).ok()?,
    );
    until.duration_since(now).ok()
}

fn protocol(reason: impl Into<Box<str>>) -> CallError {
    CallError::Protocol {
        reason: reason.into(),
    }
}

fn lost(reason: impl Into<Box<str>>) -> CallError {
    CallError::Lost {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(7)));
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from_static("Sun, 06 Nov 1994 08:50:00 GMT"),
        );
        headers.insert(
            header::DATE,
            HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"),
        );
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(23)));
    }

    #[test]
    fn a_media_type_is_compared_without_its_parameters() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("Text/Event-Stream; charset=utf-8"),
        );
        assert!(is(&headers, "text/event-stream"));
        assert!(!is(&headers, "application/json"));
    }
}
