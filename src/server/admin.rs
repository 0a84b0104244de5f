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

/// The Prometheus text format, version 0.0.4.
const PROMETHEUS: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

const ALIVE: Bytes = Bytes::from_static(br#"{"status":"alive"}"#);
const READY: Bytes = Bytes::from_static(br#"{"status":"ready"}"#);
const NOT_READY: Bytes = Bytes::from_static(
    br#"{"status":"not ready","message":"The gateway is starting or stopping. Send traffic elsewhere and ask again in a second."}"#,
);

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
    let mut response = answer::whole(status, kind, body);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, NO_STORE);
    response
}

fn is_ready(door: &Door) -> bool {
    *door.phase.borrow() == Phase::Open && door.gateway.is_ready()
}
