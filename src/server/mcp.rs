//! The MCP endpoints over HTTP: a message in, an answer or a stream out (MCP, Streamable HTTP).

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use super::{
    answer::{self, EVENT_STREAM, JSON},
    body::{Content, Events},
    door::Visit,
    headers::{self, LAST_EVENT_ID, MCP_METHOD, MCP_NAME, MCP_PROTOCOL_VERSION, MCP_SESSION_ID},
    intake,
    media::{self, Accepted},
    phase::{self, Phase},
};
use crate::{
    gateway::{Caller, GoneOn, Inbound, Mirrored, Outbound, Refusal, Reply, Route},
    protocol::encode_sse,
};

/// What a client hears first that comes back too late; readers of an event stream skip it.
const GAP: Bytes = Bytes::from_static(
    b": What came after the event of this Last-Event-ID is not kept any more, or not all of it.\n\n",
);

/// Older clients send none of these.
fn mirrored(headers: &HeaderMap) -> Mirrored {
    let method = headers::all(headers, &MCP_METHOD);
    let params = method.as_ref().map(|_| headers::params(headers));
    Mirrored {
        method,
        name: headers::all(headers, &MCP_NAME),
        params: params.unwrap_or_default(),
    }
}

/// Serves one request to an MCP endpoint.
pub(super) async fn exchange(
    visit: Visit<'_>,
    route: Route,
    caller: Arc<Caller>,
    request: Request<Incoming>,
) -> Result<Response<Content>, Refusal> {
    match *request.method() {
        Method::GET => listen(&visit, &route, &caller, &request),
        Method::DELETE => Ok(end_session(&visit, &caller, &request)),
        _ => post(visit, route, caller, request).await,
    }
}

async fn post(
    visit: Visit<'_>,
    route: Route,
    caller: Arc<Caller>,
    request: Request<Incoming>,
) -> Result<Response<Content>, Refusal> {
    media::check_content_type(request.headers())?;
    let accepted = Accepted::of(request.headers()).check_post(request.headers())?;
    let limits = visit.door.rules.now().limits.clone();
    let session = session(&request).map(Into::into);
    let revision = headers::all(request.headers(), &MCP_PROTOCOL_VERSION);
    let mirrored = mirrored(request.headers());
    let taken = intake::take(request, &limits).await?;
    let inbound = Inbound {
        route,
        caller,
        session,
        revision,
        mirrored: Some(mirrored),
        request_id: visit.request_id,
        trace: visit.trace.clone(),
        started: visit.since(&taken),
        accepts_stream: accepted.stream,
        body: taken.body,
    };
    Ok(match visit.door.gateway.post(inbound).await {
        Outbound::Reply(reply) if accepted.takes_json() => answer::reply(reply, JSON),
        Outbound::Reply(reply) => only_event(reply),
        Outbound::Stream(stream) => {
            answer::events(Events::new(stream, visit.door.rules.now().keep_alive))
        }
        Outbound::Accepted => answer::empty(StatusCode::ACCEPTED),
    })
}

/// An answer for a client that takes streams and nothing else: a stream of one event. An error it gets as it is.
fn only_event(reply: Reply) -> Response<Content> {
    if reply.status != StatusCode::OK {
        return answer::reply(reply, JSON);
    }
    let body = encode_sse(&reply.body, None);
    answer::reply(Reply { body, ..reply }, EVENT_STREAM)
}

fn listen(
    visit: &Visit<'_>,
    route: &Route,
    caller: &Caller,
    request: &Request<Incoming>,
) -> Result<Response<Content>, Refusal> {
    Accepted::of(request.headers()).check_listen(request.headers())?;
    let gateway = &visit.door.gateway;
    let opened = match headers::text(request.headers(), &LAST_EVENT_ID) {
        Some(id) => gateway.resume(route, session(request), caller, id),
        None => gateway
            .listen(route, session(request), caller)
            .map(GoneOn::from),
    };
    Ok(opened.map_or_else(
        |reply| answer::reply(reply, JSON),
        |GoneOn {
             stream,
             has_gap,
             of_call,
         }| {
            let mut events = Events::new(stream, visit.door.rules.now().keep_alive);
            if has_gap {
                events = events.beginning_with(GAP);
            }
            if !of_call {
                let stopping = phase::reached(visit.door.phase.clone(), Phase::Draining);
                events = events.until(stopping);
            }
            answer::events(events)
        },
    ))
}

fn end_session(
    visit: &Visit<'_>,
    caller: &Caller,
    request: &Request<Incoming>,
) -> Response<Content> {
    match visit.door.gateway.end_session(session(request), caller) {
        Ok(()) => answer::empty(StatusCode::NO_CONTENT),
        Err(reply) => answer::reply(reply, JSON),
    }
}

fn session(request: &Request<Incoming>) -> Option<&str> {
    headers::text(request.headers(), &MCP_SESSION_ID)
}
