//! One client's session: whose it is, what it negotiated, and which of its calls are in flight.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::{
    Ending, Lists, LogLevel, OwnLine,
    asks::Asks,
    outbox::{self, Outbox},
};
use crate::{
    backend::{Ask, Client, EventSender, Line, Patience, Waiting},
    gateway::inbound::{Caller, EventStream, GoneOn, Route},
    lockfree::Latest,
    protocol::{Message, Revision},
    telemetry::Stamp,
};

/// Resources that one session may subscribe to.
pub(in crate::gateway) const MOST_SUBSCRIPTIONS: usize = 1000;

/// A session that `initialize` opened, or a subscription of a newer revision, which nobody else can name.
pub(in crate::gateway) struct Session {
    id: Box<str>,
    caller: Arc<Caller>,
    route: Route,
    revision: Revision,
    last_used_ms: Latest,
    log_level: Latest,
    /// All that a subscription hears of; a session of an older revision hears of everything.
    lists: Option<Lists>,
    client: Arc<Client>,
    can_be_asked: bool,
    calls: papaya::HashMap<Bytes, OpenCall>,
    /// By the names of backends.
    lines: papaya::HashMap<Box<str>, Arc<OwnLine>>,
    asks: Asks,
    /// Whether it has ended. Locked when it ends, and when a way is kept.
    over: Mutex<bool>,
    /// Resources, and by which way each was subscribed to.
    subscriptions: papaya::HashMap<Box<str>, Way>,
    outbox: Outbox,
}

impl Session {
    pub(super) fn new(
        id: Box<str>,
        caller: Arc<Caller>,
        route: Route,
        client: Arc<Client>,
        bounds: Bounds,
    ) -> Self {
        Self {
            can_be_asked: client.can_be_asked(),
            client,
            lines: papaya::HashMap::new(),
            asks: Asks::default(),
            over: Mutex::default(),
            id,
            caller,
            route,
            revision: bounds.revision,
            last_used_ms: Latest::new(bounds.now.millis()),
            log_level: Latest::new(0),
            lists: bounds.lists,
            calls: papaya::HashMap::new(),
            subscriptions: papaya::HashMap::new(),
            outbox: Outbox::new(bounds.buffer),
        }
    }

    pub(in crate::gateway) fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::gateway) fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The resources that it wants to hear of.
    pub(in crate::gateway) fn subscribed(&self) -> Vec<Box<str>> {
        self.subscriptions.pin().keys().cloned().collect()
    }

    /// Whether it is one of a newer revision, which hears and does not ask.
    pub(in crate::gateway) const fn is_subscription(&self) -> bool {
        self.lists.is_some()
    }

    pub(in crate::gateway) const fn route(&self) -> &Route {
        &self.route
    }

    pub(in crate::gateway) const fn revision(&self) -> Revision {
        self.revision
    }

    /// Whether this caller may use the session on this route.
    pub(super) fn belongs_to(&self, caller: &Caller, route: &Route) -> bool {
        self.caller.name == caller.name && self.route == *route
    }

    pub(super) fn touch(&self, now: Stamp) {
        // What another of its requests has just said need not be said again to all cores.
        if self.last_used_ms.value() != now.millis() {
            self.last_used_ms.set(now.millis());
        }
    }

    /// Whether nobody used it since `ttl_ms` milliseconds, no call is in flight and no stream open.
    pub(super) fn is_idle(&self, now: Stamp, ttl_ms: u64) -> bool {
        now.millis().saturating_sub(self.last_used_ms.value()) >= ttl_ms
            && self.calls.is_empty()
            && !self.outbox.is_listened()
    }

    /// What the client said of itself.
    pub(in crate::gateway) const fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Whether the client can be asked for anything.
    pub(in crate::gateway) const fn can_be_asked(&self) -> bool {
        self.can_be_asked
    }

    /// A backend's request as the client gets it, and its id there.
    pub(in crate::gateway) fn relay(
        &self,
        ask: Ask,
        waiting: impl IntoIterator<Item = Waiting>,
    ) -> (u64, Message) {
        self.caller.owed.asked();
        let (put, message) = self.asks.relay(ask, waiting);
        self.say_all(put.told);
        (put.id, message)
    }

    /// The gateway's own request, and where its answer comes.
    pub(in crate::gateway) fn ask(
        &self,
        method: &str,
        params: Option<&[u8]>,
        waiting: impl IntoIterator<Item = Waiting>,
    ) -> (u64, Message, oneshot::Receiver<Message>) {
        self.caller.owed.asked();
        let (put, message, answer) = self.asks.ask(method, params, waiting);
        self.say_all(put.told);
        (put.id, message, answer)
    }

    /// Tells the client of questions that it need not answer any more: on its GET stream, or on that of any of its calls if it
    /// has none.
    pub(in crate::gateway) fn say_all(&self, told: impl IntoIterator<Item = Message>) {
        for message in told {
            let calls = self.calls.pin();
            let mut streams = calls.values().filter_map(|call| call.events.as_ref());
            let is_listened = self.outbox.is_listened();
            if is_listened || !streams.any(|events| events.put_ours(message.clone())) {
                self.tell(message.bytes().clone());
            }
        }
    }

    /// What the client is asked.
    pub(in crate::gateway) const fn asks(&self) -> &Asks {
        &self.asks
    }

    /// The session's own way to a backend, if it has one.
    pub(in crate::gateway) fn line(&self, backend: &str) -> Option<Arc<Line>> {
        let lines = self.lines.pin();
        let line = lines.get(backend)?.line();
        if line.is_over() {
            // An operator has stopped the backend since.
            lines.remove(backend);
            return None;
        }
        Some(Arc::clone(line))
    }

    /// All ways to backends that are the session's own.
    pub(in crate::gateway) fn lines(&self) -> Vec<Arc<Line>> {
        let lines = self.lines.pin();
        lines.values().map(|own| Arc::clone(own.line())).collect()
    }

    /// Keeps a way to a backend, unless there is one already; which of them it is. A session that has ended keeps none.
    pub(in crate::gateway) fn keep_line(&self, backend: &str, own: OwnLine) -> Arc<Line> {
        // Held until it is kept: whoever ends the session ends this too, or has ended it before.
        let is_over = self.over();
        if *is_over {
            own.end();
            return Arc::clone(own.line());
        }
        let lines = self.lines.pin();
        let line = Arc::clone(lines.get_or_insert(backend.into(), Arc::new(own)).line());
        drop(is_over);
        line
    }

    fn over(&self) -> MutexGuard<'_, bool> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of a way to a backend: no other call goes on it. What ends it, when its last call is over.
    pub(in crate::gateway) fn forget_line(&self, backend: &str) -> Option<Ending> {
        let own = self.lines.pin().remove(backend).map(Arc::clone)?;
        Some(Box::new(move || own.end()))
    }

    /// Sends a request to the client: on the stream of any of its calls, which may be what it is about, or on its GET stream.
    /// Where there is neither, the request is withdrawn.
    pub(in crate::gateway) fn deliver(&self, message: &Message) {
        let is_told = self
            .calls
            .pin()
            .values()
            .filter_map(|call| call.events.as_ref())
            .any(|events| events.put(message.clone()));
        if !is_told && self.outbox.is_listened() {
            return self.tell(message.bytes().clone());
        }
        let id = message.id().and_then(|id| std::str::from_utf8(id).ok());
        if let (false, Some(id)) = (is_told, id.and_then(|id| id.parse().ok())) {
            // It never heard of it.
            let _ = self.asks.withdraw(id);
        }
    }

    /// Registers a call under its client's request id, so that a cancellation finds it.
    pub(in crate::gateway) fn enter(
        self: &Arc<Self>,
        id: &Bytes,
        events: Option<EventSender>,
        patience: Option<Patience>,
    ) -> InFlight {
        let cancelled = Arc::new(Notify::new());
        let call = OpenCall {
            cancelled: Arc::clone(&cancelled),
            events,
            patience,
        };
        let registered = self.calls.pin().try_insert(id.clone(), call).is_ok();
        InFlight {
            session: registered.then(|| Arc::clone(self)),
            id: id.clone(),
            cancelled,
        }
    }

    /// All calls wait as long as this lives: the client is asked for something that any of them may need.
    pub(in crate::gateway) fn waiting(&self) -> Vec<Waiting> {
        let calls = self.calls.pin();
        let patience = calls.values().filter_map(|call| call.patience.as_ref());
        patience.map(Patience::wait).collect()
    }

    /// Cancels the call with this request id; a call that is unknown or over is left alone, as the protocol asks.
    pub(in crate::gateway) fn cancel(&self, id: &[u8]) {
        if let Some(call) = self.calls.pin().get(id) {
            call.cancelled.notify_one();
        }
    }

    /// Queues a message for the GET stream.
    pub(in crate::gateway) fn tell(&self, message: Bytes) {
        self.outbox.push(message);
    }

    pub(in crate::gateway) fn listen(self: &Arc<Self>) -> Box<dyn EventStream> {
        outbox::listen(Arc::clone(self))
    }

    /// Goes on with one of its streams after the event of this id, if it is kept.
    pub(in crate::gateway) fn resume(self: &Arc<Self>, id: &str) -> Option<GoneOn> {
        outbox::resume(Arc::clone(self), id)
    }

    pub(in crate::gateway) fn log_at(&self, level: LogLevel) {
        self.log_level.set(1 + level as u64);
    }

    /// The level that the client has set.
    pub(in crate::gateway) fn log_level(&self) -> Option<LogLevel> {
        let set = self.log_level.value().checked_sub(1)?;
        LogLevel::ALL.into_iter().find(|level| *level as u64 == set)
    }

    /// Whether notifications of this method, which belong to no call, are for it at all.
    pub(in crate::gateway) fn hears(&self, method: &str) -> bool {
        self.lists.is_none_or(|lists| lists.want(method))
    }

    /// Whether a log message of this level is wanted: all are until a level was set.
    pub(in crate::gateway) fn wants_log(&self, level: LogLevel) -> bool {
        self.log_level().is_none_or(|wanted| level >= wanted)
    }

    /// Whether an event of one of its calls is wanted: everything but log lines below its level.
    pub(in crate::gateway) fn wants(&self, event: &Message) -> bool {
        let is_log_line = event.method() == Some("notifications/message");
        !is_log_line || LogLevel::of(event).is_none_or(|level| self.wants_log(level))
    }

    /// Remembers that changes of a resource are wanted, and heard of by this way; false if it remembers as many as it can.
    pub(in crate::gateway) fn subscribe(&self, uri: &str, way: Way) -> bool {
        let subscriptions = self.subscriptions.pin();
        let has_room = subscriptions.len() < MOST_SUBSCRIPTIONS || subscriptions.contains_key(uri);
        if has_room {
            subscriptions.insert(uri.into(), way);
        }
        has_room
    }

    pub(in crate::gateway) fn unsubscribe(&self, uri: &str) {
        self.subscriptions.pin().remove(uri);
    }

    pub(in crate::gateway) fn is_subscribed(&self, uri: &str) -> bool {
        self.subscriptions.pin().contains_key(uri)
    }

    /// By which way it hears of changes of this resource, if it has subscribed to it.
    pub(in crate::gateway) fn hears_by(&self, uri: &str) -> Option<Way> {
        self.subscriptions.pin().get(uri).copied()
    }

    /// Whether it hears itself what this backend says outside of calls, and not with all others.
    pub(in crate::gateway) fn hears_itself(&self, backend: &str) -> bool {
        self.line(backend).is_some_and(|line| line.is_running())
    }

    /// Cancels what is in flight and ends the stream.
    pub(super) fn end(&self) {
        *self.over() = true;
        for call in self.calls.pin().values() {
            call.cancelled.notify_one();
        }
        self.outbox.end();
        self.asks.end();
        let lines = self.lines.pin();
        lines.values().for_each(|own| own.end());
        lines.clear();
    }

    /// Declines everything that the client is asked, now and later: it can answer no more.
    pub(in crate::gateway) fn decline_all(&self) {
        self.asks.end();
    }

    /// Ends the stream alone; calls in flight go on.
    pub(in crate::gateway) fn close_stream(&self) {
        self.outbox.end();
    }

    pub(super) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }
}

/// The way by which a session hears of changes of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Way {
    /// That which all share.
    Shared,
    /// Its own.
    Own,
}

/// A call of the session that has not ended.
struct OpenCall {
    cancelled: Arc<Notify>,
    /// Where the client hears of it, if it takes a stream.
    events: Option<EventSender>,
    /// How long it waits for its client, if that can be asked.
    patience: Option<Patience>,
}

/// What a new session is bound by.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) revision: Revision,
    pub(super) lists: Option<Lists>,
    pub(super) buffer: usize,
    pub(super) now: Stamp,
}

/// A call in flight; dropping it takes it off the session's list.
pub(in crate::gateway) struct InFlight {
    session: Option<Arc<Session>>,
    id: Bytes,
    cancelled: Arc<Notify>,
}

impl InFlight {
    /// Ends when the client cancels the call.
    pub(in crate::gateway) async fn cancelled(&self) {
        self.cancelled.notified().await;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(session) = &self.session {
            session.calls.pin().remove(&self.id);
        }
    }
}
