//! The pages for people and their monitors: health, readiness, metrics.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use tokio::task::spawn_blocking;

use super::{
    answer::{self, JSON, NO_STORE},
    body::Content,
    door::Door,
    media::Accepted,
    metrics_form::MetricsForm,
    phase::Phase,
    route::Page,
};
use crate::gateway::{Caller, MetricsFormat, Refusal};

const ALIVE: Bytes = Bytes::from_static(br#"{"status":"alive"}"#);
const READY: Bytes = Bytes::from_static(br#"{"status":"ready"}"#);
const NOT_READY: Bytes = Bytes::from_static(
    br#"{"status":"not ready","message":"The gateway is starting or stopping. Send traffic elsewhere and ask again in a second."}"#,
);

/// The answer hangs on this header.
const ACCEPT: HeaderValue = HeaderValue::from_static("accept");

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
pub(super) async fn show(door: &Door, page: Page, headers: &HeaderMap) -> Response<Content> {
    let (status, kind, body) = match page {
        Page::Health => {
            let (status, body) = door.gateway.health();
            (status, JSON, body)
        }
        Page::Live => (200, JSON, ALIVE),
        Page::Ready if is_ready(door) => (200, JSON, READY),
        Page::Ready => (503, JSON, NOT_READY),
        Page::Backends => (200, JSON, door.gateway.backends_health()),
        Page::Metrics => return metrics(door, MetricsForm::of(headers)).await,
        Page::MetricsJson => (200, JSON, door.gateway.metrics_json()),
    };
    of_now(status, kind, body)
}

async fn metrics(door: &Door, form: MetricsForm) -> Response<Content> {
    let body = match form {
        MetricsForm::Json => Some(door.gateway.metrics_json()),
        MetricsForm::Prometheus(format) => put_together(door, format).await,
    };
    let Some(body) = body else {
        return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut response = of_now(200, form.content_type(), body);
    response.headers_mut().insert(header::VARY, ACCEPT);
    response
}

/// With a hundred backends the page takes milliseconds. So it is made on a thread of its own, where no call waits for it, and
/// one after another: whoever asks a thousand times at once does not get a thousand threads.
async fn put_together(door: &Door, format: MetricsFormat) -> Option<Bytes> {
    let _turn = door.scraping.acquire().await.ok()?;
    let gateway = Arc::clone(&door.gateway);
    let page = spawn_blocking(move || gateway.metrics(format));
    page.await.ok()
}

/// Whether traffic may come, and how the objectives stand.
pub(super) fn ready_verbose(door: &Door) -> Response<Content> {
    let ready = is_ready(door);
    let status = if ready { 200 } else { 503 };
    of_now(status, JSON, door.gateway.readiness(ready))
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
