//! The pages for people and their monitors: health, readiness, metrics.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};

use super::{
    answer::{self, JSON, NO_STORE},
    body::Content,
    door::Door,
    media::Accepted,
    phase::Phase,
    route::Page,
};
use crate::gateway::{Caller, Refusal};

/// The Prometheus text format, version 0.0.4.
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

const ALIVE: Bytes = Bytes::from_static(br#"{"status":"alive"}"#);
const READY: Bytes = Bytes::from_static(br#"{"status":"ready"}"#);
const NOT_READY: Bytes = Bytes::from_static(
    br#"{"status":"not ready","message":"The gateway is starting or stopping. Send traffic elsewhere and ask again in a second."}"#,
);

/// Plain text for people.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Says why calls to one backend flow or do not: as JSON, or as text where that is asked for.
pub(super) fn why(
    door: &Door,
    name: &str,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<Response<Content>, Refusal> {
    let why = door.gateway.why(name, caller)?;
    let accepted = Accepted::of(headers);
    Ok(if accepted.text && !accepted.json {
        of_now(200, TEXT, why.to_string().into())
    } else {
        of_now(
            200,
            JSON,
            serde_json::to_vec(&why).unwrap_or_default().into(),
        )
    })
}

/// Shows one page.
pub(super) fn show(door: &Door, page: Page, headers: &HeaderMap) -> Response<Content> {
    let (status, kind, body) = match page {
        Page::Health => {
            let (status, body) = door.gateway.health();
            (status, JSON, body)
        }
        Page::Live => (200, JSON, ALIVE),
        Page::Ready if is_ready(door) => (200, JSON, READY),
        Page::Ready => (503, JSON, NOT_READY),
        Page::Backends => (200, JSON, door.gateway.backends_health()),
        Page::Metrics if !Accepted::of(headers).json => {
            (200, PROMETHEUS, door.gateway.metrics_text().into())
        }
        Page::Metrics | Page::MetricsJson => (200, JSON, door.gateway.metrics_json()),
    };
    of_now(status, kind, body)
}

/// A page that nobody may keep.
fn of_now(status: u16, kind: HeaderValue, body: Bytes) -> Response<Content> {
    let mut response = answer::whole(status, kind, body);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, NO_STORE);
    response
}

fn is_ready(door: &Door) -> bool {
    *door.phase.borrow() == Phase::Open && door.gateway.is_ready()
}
