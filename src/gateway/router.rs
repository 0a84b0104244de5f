//! Takes a POST: reads the body, checks session and revision, and hands each message to the endpoint it was sent to.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::{task::JoinSet, time::Instant};
use tracing::Instrument;

use super::{
    bridge::Relay,
    calls::first_of,
    facade::Gateway,
    inbound::{Caller, Inbound, Outbound, Reply, Route},
    member::Member,
    modern::is_modern,
    overhead,
    replies::{Refusal, answered},
    request::{Request, Speaks},
    sessions::Session,
    spans,
    table::Table,
    underway::Underway,
};
use crate::{
    backend::{EventReceiver, Patience, Spent, events},
    protocol::{Body, Kind, MODERN, Malformed, Message, Revision},
    telemetry::{RequestId, Stamp, Trace},
};

/// Messages in one batch.
const MOST_IN_A_BATCH: usize = 100;

/// What is known of a POST once it is let in.
#[derive(Clone)]
pub(super) struct Admitted {
    pub(super) place: Place,
    caller: Arc<Caller>,
    session: Option<Arc<Session>>,
    request_id: RequestId,
    trace: Trace,
    started: Stamp,
    began: Instant,
    deadline: Instant,
    timed: bool,
}

/// The endpoint, with its backend found.
#[derive(Clone)]
pub(super) enum Place {
    Aggregate,
    Backend(Arc<Member>),
}

impl Gateway {
    /// Answers one POST to `/mcp` or `/mcp/{backend}`.
    pub async fn post(self: &Arc<Self>, inbound: Inbound) -> Outbound {
        match Body::parse(inbound.body.clone(), MOST_IN_A_BATCH) {
            Ok(Body::One(message)) => {
                spans::join(&inbound.trace, &message);
                self.one(&inbound, message).await
            }
            Ok(Body::Batch(entries)) => self.batch(&inbound, entries).await,
            Err(malformed) => Outbound::Reply(malformed_reply(&malformed)),
        }
    }

    async fn one(self: &Arc<Self>, inbound: &Inbound, message: Message) -> Outbound {
        if is_modern(inbound, &message) {
            return self.modern(inbound, message).await;
        }
        let opens_session = message.method() == Some("initialize");
        let admitted = match self.admit(inbound, opens_session) {
            Ok((admitted, _)) => admitted,
            Err(refusal) => return Outbound::Reply(refusal.reply(message.id())),
        };
        match message.kind() {
            Kind::Request if inbound.accepts_stream => {
                // Only over HTTP does a connection break and its client stay.
                let outlives = inbound.mirrored.is_some();
                self.streamed(admitted, message, outlives).await
            }
            Kind::Request => self.plain(admitted, message).await,
            Kind::Notification => {
                self.take(&admitted, message).await;
                Outbound::Accepted
            }
            Kind::Response => {
                admitted.hand_over(&message);
                Outbound::Accepted
            }
        }
    }

    /// Whether the POST may come in at all, to whom it goes, and which revision is spoken.
    fn admit(
        &self,
        inbound: &Inbound,
        opens_session: bool,
    ) -> Result<(Admitted, Revision), Refusal> {
        let admitted = self.admit_stateless(inbound)?;
        // A client that opens a session may still send what is left of its last one.
        let session = inbound.session.as_deref().filter(|_| !opens_session);
        let session = session
            .map(|id| {
                let (caller, route) = (&inbound.caller, &inbound.route);
                self.sessions.find(id, caller, route, inbound.started)
            })
            .transpose()?;
        let revision = match &inbound.revision {
            // Only a batch comes here with it.
            Some(given) if &**given == MODERN && !opens_session => return Err(no_batches(MODERN)),
            Some(given) if !opens_session => {
                Revision::parse(given).ok_or_else(|| Refusal::UnknownRevision(given.clone()))?
            }
            _ => session
                .as_ref()
                .map_or(Revision::WITHOUT_HEADER, |session| session.revision()),
        };
        let admitted = Admitted {
            session,
            ..admitted
        };
        Ok((admitted, revision))
    }

    /// The same for a POST that belongs to no session.
    pub(super) fn admit_stateless(&self, inbound: &Inbound) -> Result<Admitted, Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        let table = self.table();
        let place = place(&table, &inbound.route, &inbound.caller)?;
        let began = Instant::now();
        Ok(Admitted {
            place,
            caller: Arc::clone(&inbound.caller),
            session: None,
            request_id: inbound.request_id,
            trace: inbound.trace.clone(),
            started: inbound.started,
            began,
            deadline: began + table.settings().request_timeout,
            timed: overhead::is_measured(table.settings(), inbound.request_id),
        })
    }

    async fn plain(self: &Arc<Self>, admitted: Admitted, message: Message) -> Outbound {
        let request = admitted.request(message);
        match self.underway(admitted.place, request).await {
            Some(reply) => Outbound::Reply(reply),
            None => Outbound::Accepted,
        }
    }

    async fn streamed(
        self: &Arc<Self>,
        admitted: Admitted,
        message: Message,
        outlives: bool,
    ) -> Outbound {
        if !may_have_events(&message) {
            return self.plain(admitted, message).await;
        }
        let (events, incoming) = events(self.table().settings().sessions.buffer);
        let mut request = admitted.request(message);
        request.events = Some(events);
        let incoming = heard_in_session(&mut request, incoming);
        let session = request.session.clone().filter(|_| outlives);
        first_of(self.underway(admitted.place, request), incoming, session).await
    }

    /// The one place where a request's future is put on the heap: from here on down it is of one type for all.
    fn underway(self: &Arc<Self>, place: Place, request: Request) -> Underway {
        let gateway = Arc::clone(self);
        let outlives_client = request.session.is_some();
        let call = async move { gateway.until_cancelled(place, request).await };
        Underway::new(call.in_current_span(), outlives_client)
    }

    /// The answer, or nothing if the client cancels the request first.
    async fn until_cancelled(self: &Arc<Self>, place: Place, request: Request) -> Option<Reply> {
        let in_flight = request.session.as_ref().map(|session| {
            let (events, patience) = (request.events.clone(), request.patience.clone());
            session.enter(&request.shared_id(), events, patience)
        });
        let Some(in_flight) = in_flight else {
            return Some(self.answer(place, &request).await);
        };
        tokio::select! {
            biased;
            () = in_flight.cancelled() => None,
            reply = self.answer(place, &request) => Some(reply),
        }
    }

    pub(super) async fn answer(self: &Arc<Self>, place: Place, request: &Request) -> Reply {
        match spans::opened(&place, request) {
            None => self.answered(place, request).await,
            Some((request, span)) => {
                let reply = Box::pin(self.answered(place, &request)).await;
                spans::ended(span, &reply);
                reply
            }
        }
    }

    async fn answered(self: &Arc<Self>, place: Place, request: &Request) -> Reply {
        let answer = match (&place, request.message.method()) {
            (Place::Aggregate, Some("initialize")) => self.initialize(request),
            (Place::Backend(member), Some("initialize")) => {
                self.initialize_backend(member, request).await
            }
            (Place::Aggregate, _) => self.aggregate(request).await.map(answered),
            (Place::Backend(member), _) => self.transparent(member, request).await.map(answered),
        };
        let reply = answer.unwrap_or_else(|refusal| refusal.reply(Some(request.id())));
        self.measured(request, reply)
    }

    /// A notification. Nothing is answered, so what cannot be done with it is only logged.
    async fn take(self: &Arc<Self>, admitted: &Admitted, message: Message) {
        match (message.method(), &admitted.place) {
            (Some("notifications/cancelled"), _) => {
                if let (Some(session), Some(id)) = (&admitted.session, message.cancelled_id()) {
                    session.cancel(id);
                }
            }
            (Some("notifications/roots/list_changed"), _) => tell_own_lines(admitted, &message),
            (Some("notifications/progress"), _) => {
                if let Some(session) = &admitted.session {
                    session.asks().progressed(&message);
                }
            }
            // This concerns the client's own session with us.
            (Some("notifications/initialized"), _) | (_, Place::Aggregate) => {}
            (_, Place::Backend(member)) => {
                if let Err(error) = member.backend().notify(message, admitted.deadline).await {
                    tracing::debug!(backend = member.name(), %error, "A notification was not delivered");
                }
            }
        }
    }

    async fn batch(
        self: &Arc<Self>,
        inbound: &Inbound,
        entries: Vec<Result<Message, Malformed>>,
    ) -> Outbound {
        let admitted = match self.admit(inbound, false).and_then(batches_allowed) {
            Ok(admitted) => admitted,
            Err(refusal) => return Outbound::Reply(refusal.reply(None)),
        };
        let mut calls = JoinSet::new();
        let mut answers = Vec::new();
        for (place, entry) in entries.into_iter().enumerate() {
            match entry {
                Err(malformed) => answers.push((place, malformed_reply(&malformed).body)),
                Ok(message) if message.kind() == Kind::Request => {
                    spans::join(&inbound.trace, &message);
                    let (gateway, admitted) = (Arc::clone(self), admitted.clone());
                    let answer = async move { (place, gateway.batched(admitted, message).await) };
                    calls.spawn(answer.in_current_span());
                }
                Ok(message) if message.kind() == Kind::Notification => {
                    self.take(&admitted, message).await;
                }
                Ok(answer) => admitted.hand_over(&answer),
            }
        }
        while let Some(call) = calls.join_next().await {
            if let Ok((place, Some(body))) = call {
                answers.push((place, body));
            }
        }
        batch_reply(answers)
    }

    async fn batched(self: &Arc<Self>, admitted: Admitted, message: Message) -> Option<Bytes> {
        if message.method() == Some("initialize") {
            let refusal = Refusal::InvalidRequest(
                "`initialize` came in a batch, so nothing was opened. Send it alone.".into(),
            );
            return Some(refusal.reply(message.id()).body);
        }
        let request = admitted.request(message);
        let reply = self.underway(admitted.place, request).await;
        reply.map(|reply| reply.body)
    }
}

/// Only backends that a client has for itself know of its roots.
fn tell_own_lines(admitted: &Admitted, message: &Message) {
    let lines = admitted.session.as_ref().map(|session| session.lines());
    for line in lines.into_iter().flatten() {
        let message = message.clone();
        tokio::spawn(async move {
            if let Err(error) = line.notify(&message).await {
                tracing::debug!(%error, "A notification was not delivered");
            }
        });
    }
}

impl Admitted {
    /// Hands a client's answer to whoever asked.
    fn hand_over(&self, answer: &Message) {
        if let Some(session) = &self.session {
            session.asks().answered(answer);
        }
    }

    pub(super) fn request(&self, message: Message) -> Request {
        Request {
            message,
            speaker: Speaks::Legacy,
            param_headers: Arc::default(),
            caller: Arc::clone(&self.caller),
            session: self.session.clone(),
            request_id: self.request_id,
            trace: self.trace.clone(),
            started: self.started,
            began: self.began,
            deadline: self.deadline,
            events: None,
            client: None,
            patience: None,
            timed: self.timed,
            spent: Spent::default(),
        }
    }
}

fn place(table: &Table, route: &Route, caller: &Caller) -> Result<Place, Refusal> {
    let Route::Backend(name) = route else {
        return Ok(Place::Aggregate);
    };
    let member = table.endpoint(name, caller)?;
    Ok(Place::Backend(Arc::clone(member)))
}

fn batches_allowed((admitted, revision): (Admitted, Revision)) -> Result<Admitted, Refusal> {
    if revision.has_batches() {
        return Ok(admitted);
    }
    Err(no_batches(revision.as_str()))
}

fn no_batches(revision: &str) -> Refusal {
    Refusal::InvalidRequest(
        format!(
            "The body is a batch, which revision {revision} does not have, so nothing of it was done. Send each message in a POST of its own."
        )
        .into(),
    )
}

/// What the client of a session hears during a call: no log lines below its level, and what it can be asked for.
fn heard_in_session(request: &mut Request, incoming: EventReceiver) -> EventReceiver {
    let Some(session) = &request.session else {
        return incoming;
    };
    let incoming = if session.can_be_asked() {
        let patience = Patience::default();
        let mut relay = Relay::new(Arc::clone(session), patience.clone());
        request.patience = Some(patience);
        incoming.handled(move |event| relay.take(event))
    } else {
        incoming
    };
    if session.log_level().is_none() {
        return incoming;
    }
    let session = Arc::clone(session);
    incoming.only(move |event| session.wants(event))
}

/// Whether a backend may have something to say before it answers. Lists are answered at once, and the rest by us.
pub(super) fn may_have_events(message: &Message) -> bool {
    message.method().is_some_and(|method| {
        !method.ends_with("/list") && !matches!(method, "initialize" | "ping")
    })
}

fn malformed_reply(malformed: &Malformed) -> Reply {
    Refusal::Malformed(malformed.clone()).reply(malformed.id())
}

/// The answers in the order of their requests; a batch of notifications has none.
fn batch_reply(mut answers: Vec<(usize, Bytes)>) -> Outbound {
    if answers.is_empty() {
        return Outbound::Accepted;
    }
    answers.sort_by_key(|(place, _)| *place);
    let mut body = BytesMut::new();
    for (count, (_, answer)) in answers.iter().enumerate() {
        body.put_u8(if count == 0 { b'[' } else { b',' });
        body.put_slice(answer);
    }
    body.put_u8(b']');
    Outbound::Reply(answered(body.freeze()))
}
