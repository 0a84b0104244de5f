//! A client that has one way out: what it asks goes on side by side, and all that it hears comes one message after another.

use std::{collections::HashMap, future::pending, sync::Arc};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};
use tracing::{Instrument, field::Empty, info_span};

use crate::{
    gateway::{Caller, Gateway, Inbound, Outbound, Refusal, Route, next_message},
    protocol::{Kind, Message},
    telemetry::{RequestId, Stamp, Trace},
};

/// Requests of the client that may be open at once, subscriptions included; more are refused.
const MOST_OPEN: usize = 1024;

const CANCELLED: &str = "notifications/cancelled";

/// Where all that a client hears goes.
#[derive(Clone)]
pub(super) struct WayOut {
    pub(super) messages: mpsc::Sender<Bytes>,
    /// How a message is written.
    pub(super) written: fn(Bytes) -> Bytes,
}

/// One message of the client, or a batch.
pub(super) struct Said {
    pub(super) body: Bytes,
    pub(super) request_id: RequestId,
    pub(super) trace: Trace,
    pub(super) started: Stamp,
}

/// The client. Dropping it drops what it waits for; a session that it opened stays.
pub(super) struct Client {
    gateway: Arc<Gateway>,
    caller: Arc<Caller>,
    route: Route,
    out: WayOut,
    /// The session that `initialize` opened; clients of newer revisions have none.
    session: Option<Box<str>>,
    /// The stream of that session.
    told: JoinSet<()>,
    open: JoinSet<()>,
    by_id: HashMap<Bytes, AbortHandle>,
}

impl Client {
    pub(super) fn new(
        gateway: Arc<Gateway>,
        caller: Arc<Caller>,
        route: Route,
        out: WayOut,
    ) -> Self {
        Self {
            gateway,
            caller,
            route,
            out,
            session: None,
            told: JoinSet::new(),
            open: JoinSet::new(),
            by_id: HashMap::new(),
        }
    }

    pub(super) const fn out(&self) -> &WayOut {
        &self.out
    }

    /// What opens a session, cancels or answers is done before the next message is looked at; requests, and what is only passed
    /// on, go on side by side.
    pub(super) async fn take(&mut self, said: Said) {
        let message = Message::parse(said.body.clone()).ok();
        let kind = message.as_ref().map(Message::kind);
        let inbound = self.inbound(said);
        let is_opening = message.as_ref().and_then(Message::method) == Some("initialize");
        match message {
            Some(message) if kind == Some(Kind::Request) && !is_opening => {
                self.start(inbound, message.id()).await;
            }
            // A batch, or nothing that can be read.
            None => self.start(inbound, None).await,
            Some(message) if kind == Some(Kind::Notification) && is_passed_on(&message) => {
                self.pass_on(inbound);
            }
            message => {
                let span = span(inbound.request_id);
                let posted = self.gateway.post(inbound).instrument(span).await;
                self.answer(posted).await;
                self.forget(message.as_ref());
            }
        }
    }

    fn inbound(&self, said: Said) -> Inbound {
        Inbound {
            route: self.route.clone(),
            caller: Arc::clone(&self.caller),
            session: self.session.clone(),
            revision: None,
            mirrored: None,
            request_id: said.request_id,
            trace: said.trace,
            started: said.started,
            accepts_stream: true,
            body: said.body,
        }
    }

    async fn start(&mut self, inbound: Inbound, id: Option<&[u8]>) {
        self.by_id.retain(|_, call| !call.is_finished());
        let is_taken = id.is_some_and(|id| self.by_id.contains_key(id));
        if is_taken || !self.has_room() {
            let refusal = if is_taken { id_in_use() } else { too_many() };
            self.out.say(refusal.reply(id).body).await;
            return;
        }
        let call = self.begin(inbound);
        if let Some(id) = id {
            self.by_id.insert(Bytes::copy_from_slice(id), call);
        }
    }

    /// A backend that does not take it keeps nothing else of the client waiting. Where there is no room it is lost: it has no
    /// answer by which it could be refused.
    fn pass_on(&mut self, inbound: Inbound) {
        if self.has_room() {
            self.begin(inbound);
        } else {
            tracing::debug!("A notification was dropped: too much of its client is open");
        }
    }

    fn has_room(&mut self) -> bool {
        while self.open.try_join_next().is_some() {}
        self.open.len() < MOST_OPEN
    }

    fn begin(&mut self, inbound: Inbound) -> AbortHandle {
        let (gateway, out) = (Arc::clone(&self.gateway), self.out.clone());
        let span = span(inbound.request_id);
        let call = async move { out.write(gateway.post(inbound).await).await };
        self.open.spawn(call.instrument(span))
    }

    /// The answer to what is not a call: a new session brings its stream along.
    async fn answer(&mut self, posted: Outbound) {
        let opened = match &posted {
            Outbound::Reply(reply) => reply.session.clone(),
            _ => None,
        };
        // Kept before anything is waited for: whoever drops the client ends what it names.
        let earlier = opened
            .clone()
            .and_then(|session| self.session.replace(session));
        self.out.write(posted).await;
        let Some(session) = opened else { return };
        self.told.abort_all();
        self.told = JoinSet::new();
        let listened = self
            .gateway
            .listen(&self.route, Some(&session), &self.caller);
        if let Ok(stream) = listened {
            let out = self.out.clone();
            self.told
                .spawn(async move { out.write(Outbound::Stream(stream)).await });
        }
        if let Some(earlier) = earlier {
            let _ = self.gateway.end_session(Some(&earlier), &self.caller);
        }
    }

    /// A request that is cancelled has no answer (basic/patterns/cancellation).
    fn forget(&mut self, message: Option<&Message>) {
        let cancelled = message
            .filter(|message| message.method() == Some(CANCELLED))
            .and_then(Message::cancelled_id);
        if let Some(call) = cancelled.and_then(|id| self.by_id.remove(id)) {
            call.abort();
        }
    }

    /// Resolves when the session has ended by other hands than the client's.
    pub(super) async fn dismissed(&mut self) {
        if self.told.join_next().await.is_none() {
            pending::<()>().await;
        }
    }

    /// Waits for the answers to what is open, until `cut` resolves.
    pub(super) async fn finish(&mut self, cut: impl Future<Output = ()>) {
        let all = async {
            while self.open.join_next().await.is_some() {}
            while self.told.join_next().await.is_some() {}
        };
        let is_done = tokio::select! {
            () = all => true,
            () = cut => false,
        };
        if !is_done {
            let calls = self.open.len();
            tracing::warn!(calls, "Cutting what is left");
            self.open.shutdown().await;
            self.told.shutdown().await;
        }
    }

    /// Ends the session: its calls are cancelled, and who works on them is told.
    pub(super) fn end(&mut self) {
        if let Some(session) = self.session.take() {
            let _ = self.gateway.end_session(Some(&session), &self.caller);
        }
    }
}

impl WayOut {
    async fn write(&self, posted: Outbound) {
        match posted {
            Outbound::Reply(reply) => self.say(reply.body).await,
            Outbound::Stream(stream) => {
                let mut stream = Box::into_pin(stream);
                while let Some(message) = next_message(&mut stream).await {
                    self.say(message).await;
                }
            }
            Outbound::Accepted => {}
        }
    }

    /// A client that has closed its end is noticed by [`WayOut::is_closed`].
    pub(super) async fn say(&self, message: Bytes) {
        let _ = self.messages.send((self.written)(message)).await;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.messages.is_closed()
    }
}

/// Whether nothing that comes later depends on it: what is cancelled, and how far the client is with an answer, is told in order.
fn is_passed_on(notification: &Message) -> bool {
    let method = notification.method();
    !matches!(
        method,
        Some(CANCELLED | "notifications/initialized" | "notifications/progress")
    )
}

fn id_in_use() -> Refusal {
    Refusal::InvalidRequest(
        "Another request with this id is open, so this one was not begun: nobody could tell their answers apart. Send it under another id.".into(),
    )
}

fn too_many() -> Refusal {
    Refusal::InvalidRequest(
        format!("{MOST_OPEN} requests of this client are open, which is the limit, so this one was not begun. Wait for an answer, or cancel one.")
            .into(),
    )
}

fn span(request_id: RequestId) -> tracing::Span {
    info_span!("client_request", %request_id, trace_id = Empty)
}
