//! Clients of the first revision over HTTP: an event stream out, and an address to post to (MCP 2024-11-05, basic/transports,
//! HTTP with SSE).

use std::{
    future::pending,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tracing::Instrument;

use super::{
    answer,
    body::{Content, Events},
    client::{Client, Said, WayOut},
    door::Visit,
    intake,
    media::{self, Accepted},
    phase::{Phase, reached},
    streams::Place,
};
use crate::{
    gateway::{Caller, EventStream, Gateway, Refusal, Route, Sent},
    protocol::Body,
};

/// Messages that wait until the client reads them; what they belong to waits with them.
const UNREAD: usize = 64;

/// Opens the stream. Its first event says where to post, and it lives as long as the client.
pub(super) fn open(
    visit: &Visit<'_>,
    route: Route,
    caller: Arc<Caller>,
    request: &Request<Incoming>,
) -> Result<Response<Content>, Refusal> {
    Accepted::of(request.headers()).check_listen(request.headers())?;
    let door = visit.door;
    door.gateway
        .admit_stream(&route, &caller, door.streams.count())?;
    let (messages, unread) = mpsc::channel(UNREAD);
    let (place, hears) = door.streams.enter(&caller, &route);
    let first = endpoint(request.uri().path(), &place.id);
    let out = WayOut {
        messages,
        written: |message| message,
    };
    let rules = door.rules.now();
    let attended = Attended {
        client: Client::new(Arc::clone(&door.gateway), caller, route, out),
        gateway: Arc::clone(&door.gateway),
        phase: door.phase.clone(),
        patience: rules.limits.idle_timeout,
        place,
    };
    tokio::spawn(attended.run(hears).in_current_span());
    let events = Events::new(Box::new(Unread(unread)), rules.keep_alive);
    Ok(answer::events(events.beginning_with(first)))
}

/// Takes a message for an open stream, on which its answer comes.
pub(super) async fn post(
    visit: Visit<'_>,
    route: &Route,
    caller: &Caller,
    request: Request<Incoming>,
) -> Result<Response<Content>, Refusal> {
    media::check_content_type(request.headers())?;
    let id = session_id(request.uri().query().unwrap_or_default());
    let says = visit.door.streams.find(id, caller, route)?;
    let limits = visit.door.rules.now().limits.clone();
    let taken = intake::take(request, &limits).await?;
    Body::parse(taken.body.clone(), usize::MAX).map_err(Refusal::Malformed)?;
    let said = Said {
        request_id: visit.request_id,
        trace: visit.trace.clone(),
        started: visit.since(&taken),
        body: taken.body,
    };
    match timeout(limits.body_timeout, says.send(said)).await {
        Ok(Ok(())) => Ok(answer::empty(StatusCode::ACCEPTED)),
        Ok(Err(_)) => Err(Refusal::UnknownStream),
        Err(_) => Err(Refusal::StreamFull),
    }
}

/// From the root, as all clients can read it: some put it behind scheme and host and nothing else.
fn endpoint(path: &str, id: &str) -> Bytes {
    let path = path.strip_suffix('/').unwrap_or(path);
    let above = path.strip_suffix("/sse").unwrap_or_default();
    format!("event: endpoint\ndata: {above}/message?sessionId={id}\n\n").into()
}

fn session_id(query: &str) -> &str {
    let mut parameters = query.split('&');
    let id = parameters.find_map(|parameter| parameter.strip_prefix("sessionId="));
    id.unwrap_or_default()
}

/// A client while its stream is open.
struct Attended {
    client: Client,
    gateway: Arc<Gateway>,
    phase: watch::Receiver<Phase>,
    /// How long it may take to say anything at all.
    patience: Duration,
    place: Place,
}

impl Attended {
    /// Attends the client until it hangs up, or has heard the last of what it asked for once nothing more is taken. What is
    /// still open then is cancelled.
    async fn run(mut self, hears: mpsc::Receiver<Said>) {
        let out = self.client.out().clone();
        tokio::select! {
            biased;
            () = out.messages.closed() => {}
            () = self.serve(hears) => {}
        }
        self.client.end();
        drop(self.place);
    }

    async fn serve(&mut self, hears: mpsc::Receiver<Said>) {
        self.take_all(hears).await;
        self.client.finish(pending()).await;
    }

    /// Takes what is said until the server stops, the client's session is ended by others, or nothing was ever said.
    async fn take_all(&mut self, mut hears: mpsc::Receiver<Said>) {
        let mut draining = pin!(reached(self.phase.clone(), Phase::Draining));
        let mut silence = pin!(sleep(self.patience));
        let mut has_spoken = false;
        loop {
            let said = tokio::select! {
                biased;
                () = &mut draining => {
                    // A session that has been opened since the others were told.
                    self.gateway.close_streams();
                    self.gateway.end_of_answers();
                    return;
                }
                () = self.client.dismissed() => return,
                () = &mut silence, if !has_spoken => return,
                said = hears.recv() => said,
            };
            let Some(said) = said else { return };
            has_spoken = true;
            self.client.take(said).await;
        }
    }
}

/// What the client has not read yet.
struct Unread(mpsc::Receiver<Bytes>);

impl EventStream for Unread {
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Sent>> {
        self.0.poll_recv(context).map(|next| next.map(Into::into))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::{
        gateway::GatewaySettings,
        server::streams::Streams,
        telemetry::{Clock, RequestId, Trace},
    };

    const PATIENCE: Duration = Duration::from_secs(60);

    fn gateway() -> Arc<Gateway> {
        Gateway::new(GatewaySettings::default(), Vec::new(), Clock::new())
    }

    /// What a client hears that says this at once.
    async fn heard(says: Option<&'static str>) -> (Arc<Streams>, mpsc::Receiver<Bytes>) {
        let (gateway, streams) = (gateway(), Arc::new(Streams::default()));
        let (messages, unread) = mpsc::channel(UNREAD);
        let out = WayOut {
            messages,
            written: |message| message,
        };
        let caller = Arc::new(Caller::default());
        let (place, hears) = streams.enter(&caller, &Route::Aggregate);
        if let Some(body) = says {
            let says = streams.find(&place.id, &caller, &Route::Aggregate).unwrap();
            let said = Said {
                body: Bytes::from_static(body.as_bytes()),
                request_id: RequestId::random(),
                trace: Trace::default(),
                started: gateway.clock().now(),
            };
            says.send(said).await.unwrap();
        }
        let (open, phase) = watch::channel(Phase::Open);
        let attended = Attended {
            client: Client::new(Arc::clone(&gateway), caller, Route::Aggregate, out),
            gateway,
            phase,
            patience: PATIENCE,
            place,
        };
        tokio::spawn(async move {
            attended.run(hears).await;
            drop(open);
        });
        (streams, unread)
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_on_which_nothing_is_ever_said_ends() {
        let began = Instant::now();
        let (streams, mut unread) = heard(None).await;
        assert_eq!(unread.recv().await, None);
        assert_eq!((began.elapsed(), streams.count()), (PATIENCE, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_said_a_word_may_listen_for_as_long_as_it_likes() {
        let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
        let (streams, mut unread) = heard(Some(ping)).await;
        let pong = unread.recv().await.unwrap();
        assert_eq!(pong, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        assert!(timeout(PATIENCE * 10, unread.recv()).await.is_err());
        drop(unread);
        while streams.count() > 0 {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn there_are_no_more_streams_than_sessions_may_be() {
        let most = GatewaySettings::default().sessions.max;
        let admit = |open| gateway().admit_stream(&Route::Aggregate, &Caller::default(), open);
        assert_eq!(admit(most - 1), Ok(()));
        assert_eq!(admit(most), Err(Refusal::TooManySessions(most)));
    }

    #[test]
    fn the_first_event_names_the_address_beside_the_stream() {
        for (path, address) in [
            ("/sse", "/message"),
            ("/sse/", "/message"),
            ("/mcp/my%20files/sse", "/mcp/my%20files/message"),
        ] {
            assert_eq!(
                endpoint(path, "1"),
                format!("event: endpoint\ndata: {address}?sessionId=1\n\n")
            );
        }
    }

    #[test]
    fn the_session_is_one_of_the_parameters() {
        assert_eq!(session_id("sessionId=1"), "1");
        assert_eq!(session_id("a=b&sessionId=1&sessionId=2"), "1");
        assert_eq!(session_id("a=b"), "");
    }
}
