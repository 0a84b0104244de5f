//! One request from its head to its answer: named, checked, and shown to where it wants to go.

use std::sync::Arc;

use http::{HeaderValue, Request, Response, Uri};
use hyper::body::Incoming;
use tracing::{Instrument, field::Empty, info_span};

use super::{
    access::AccessLine,
    admin, answer,
    body::{Content, Outgoing},
    door::{Peer, Visit},
    headers::{self, TRACERESPONSE, X_REQUEST_ID, X_TRACE_ID},
    mcp,
    root_span::Asked,
    route::{self, Page, Target},
    sse, ui,
};
use crate::{
    gateway::{Caller, Refusal},
    telemetry::{Carrier, RequestId, Trace},
};

/// Answers one request. The span leaves out the query, which may carry a secret.
pub(super) async fn answer(peer: Arc<Peer>, request: Request<Incoming>) -> Response<Outgoing> {
    let started = peer.door.gateway.clock().now();
    let request_id = RequestId::from_header(headers::text(request.headers(), &X_REQUEST_ID));
    peer.requests.add(1);
    let trace = peer
        .door
        .gateway
        .tracer()
        .begin(&headers::trace(request.headers()));
    let asked = Asked::of(&request, &trace, (request_id, started));
    let span = info_span!(
        "http_request",
        method = %request.method(),
        uri = request.uri().path(),
        %request_id,
        trace_id = Empty,
    );
    let visit = Visit {
        door: &peer.door,
        request_id,
        trace: trace.clone(),
        started,
    };
    let is_logged = peer.door.rules.now().access_log;
    let clock = peer.door.gateway.clock();
    let mut line = is_logged.then(|| AccessLine::of(&request, clock, (request_id, started)));
    let served = visit.serve(request, line.as_deref_mut());
    let mut response = served.instrument(span).await;
    name(&mut response, request_id);
    trace_of(&mut response, &trace);
    let open = asked.and_then(|asked| asked.answered(response.status()));
    if let Some(line) = &mut line {
        line.answered(response.status(), &trace);
    }
    response.map(|content| Outgoing::new(content, peer).within(open).logged(line))
}

fn name(response: &mut Response<Content>, request_id: RequestId) {
    if let Ok(value) = HeaderValue::from_str(request_id.encode(&mut [0; RequestId::LENGTH])) {
        response.headers_mut().insert(X_TRACE_ID, value.clone());
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
}

/// Names the trace, where there is one, by its own name rather than by that of the request.
fn trace_of(response: &mut Response<Content>, trace: &Trace) {
    let Some(id) = trace.id() else {
        return;
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        headers.insert(X_TRACE_ID, value);
    }
    if let Some(Ok(value)) = trace.response().map(HeaderValue::try_from) {
        headers.insert(TRACERESPONSE, value);
    }
}

/// Whether more than a word is asked for, as in `/readyz?verbose`.
fn is_verbose(uri: &Uri) -> bool {
    let mut parts = uri.query().unwrap_or_default().split('&');
    parts.any(|part| matches!(part, "verbose" | "verbose=1" | "verbose=true"))
}

impl Visit<'_> {
    async fn serve(
        self,
        request: Request<Incoming>,
        line: Option<&mut AccessLine>,
    ) -> Response<Content> {
        let admitted = self.admit(&request);
        if let (Some(line), Ok((_, caller))) = (line, &admitted) {
            line.asked_by(caller);
        }
        let served = match admitted {
            Ok((Target::Mcp(route), caller)) => {
                let trace = self.trace.clone();
                let answered = mcp::exchange(self, route, caller, request).await;
                if answered.is_err() {
                    // It was no message that could be read, but somebody traces it.
                    trace.joined(&Carrier::default());
                }
                answered
            }
            Ok((Target::EventStream(route), caller)) => sse::open(&self, route, caller, &request),
            Ok((Target::Messages(route), caller)) => {
                sse::post(self, &route, &caller, request).await
            }
            Ok((Target::Page(Page::Ready), _)) if is_verbose(request.uri()) => {
                Ok(admin::ready_verbose(self.door))
            }
            Ok((Target::Page(page), _)) => {
                Ok(admin::show(self.door, page, request.headers()).await)
            }
            Ok((Target::Why(name), caller)) => {
                admin::why(self.door, &name, &caller, request.headers())
            }
            Ok((Target::File(file), _)) => Ok(file.answer(request.uri().path(), request.headers())),
            Ok((Target::Watch, caller)) => ui::watch(self, caller).await,
            Ok((Target::Near(name), caller)) => ui::near(self.door, &name, &caller).await,
            Ok((Target::Act(what), caller)) => ui::act(self, &what, caller, request).await,
            Err(refusal) => without_key(&request, refusal),
        };
        served.unwrap_or_else(|refusal| answer::refuse(&refusal))
    }

    /// Who may not ask learns nothing of what there is: the path is looked at last.
    fn admit(&self, request: &Request<Incoming>) -> Result<(Target, Arc<Caller>), Refusal> {
        let rules = self.door.rules.now();
        rules.wall.check(request)?;
        let path = request.uri().path();
        let caller = rules.keyring.admit(path, request.headers())?;
        let target = route::find(path)?;
        target.check(request.method())?;
        Ok((target, Arc::clone(caller)))
    }
}

/// A browser reads the live page before it has a key. Its files are the same for everybody and hold no data.
fn without_key(
    request: &Request<Incoming>,
    refusal: Refusal,
) -> Result<Response<Content>, Refusal> {
    let path = request.uri().path();
    match ui::asset(path) {
        Some(file) if refusal == Refusal::Unauthorized => {
            Target::File(file).check(request.method())?;
            Ok(file.answer(path, request.headers()))
        }
        _ => Err(refusal),
    }
}
