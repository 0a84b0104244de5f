//! One client's session: whose it is, what it negotiated, and which of its calls are in flight.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::{
    Lists,
    outbox::{self, Outbox},
};
use crate::{
    gateway::inbound::{Caller, EventStream, Route},
    lockfree::Latest,
    protocol::{Message, RawObject, Revision, Text},
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
    calls: papaya::HashMap<Bytes, Arc<Notify>>,
    subscriptions: papaya::HashSet<Box<str>>,
    outbox: Outbox,
}

impl Session {
    pub(super) fn new(id: Box<str>, caller: Arc<Caller>, route: Route, bounds: Bounds) -> Self {
        Self {
            id,
            caller,
            route,
            revision: bounds.revision,
            last_used_ms: Latest::new(bounds.now.millis()),
            log_level: Latest::new(0),
            lists: bounds.lists,
            calls: papaya::HashMap::new(),
            subscriptions: papaya::HashSet::new(),
            outbox: Outbox::new(bounds.buffer),
        }
    }

    pub(in crate::gateway) fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::gateway) fn caller(&self) -> &Arc<Caller> {
        &self.caller
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

    /// Registers a call under its client's request id, so that a cancellation finds it.
    pub(in crate::gateway) fn enter(self: &Arc<Self>, id: &Bytes) -> InFlight {
        let cancelled = Arc::new(Notify::new());
        let registered = self
            .calls
            .pin()
            .try_insert(id.clone(), Arc::clone(&cancelled))
            .is_ok();
        InFlight {
            session: registered.then(|| Arc::clone(self)),
            id: id.clone(),
            cancelled,
        }
    }

    /// Cancels the call with this request id; a call that is unknown or over is left alone, as the protocol asks.
    pub(in crate::gateway) fn cancel(&self, id: &[u8]) {
        if let Some(call) = self.calls.pin().get(id) {
            call.notify_one();
        }
    }

    /// Queues a message for the GET stream.
    pub(in crate::gateway) fn tell(&self, message: Bytes) {
        if !self.outbox.push(message) {
            tracing::debug!(caller = %self.caller.name, "A slow stream lost its oldest message");
        }
    }

    pub(in crate::gateway) fn listen(self: &Arc<Self>) -> Box<dyn EventStream> {
        outbox::listen(Arc::clone(self))
    }

    pub(in crate::gateway) fn log_at(&self, level: LogLevel) {
        self.log_level.set(level as u64);
    }

    /// Whether notifications of this method, which belong to no call, are for it at all.
    pub(in crate::gateway) fn hears(&self, method: &str) -> bool {
        self.lists.is_none_or(|lists| lists.want(method))
    }

    /// Whether a log message of this level is wanted: all are until a level was set.
    pub(in crate::gateway) fn wants_log(&self, level: LogLevel) -> bool {
        level as u64 >= self.log_level.value()
    }

    /// Remembers that changes of a resource are wanted; false if it remembers as many as it can.
    pub(in crate::gateway) fn subscribe(&self, uri: &str) -> bool {
        let subscriptions = self.subscriptions.pin();
        if subscriptions.len() >= MOST_SUBSCRIPTIONS {
            return subscriptions.contains(uri);
        }
        subscriptions.insert(uri.into());
        true
    }

    pub(in crate::gateway) fn unsubscribe(&self, uri: &str) {
        self.subscriptions.pin().remove(uri);
    }

    pub(in crate::gateway) fn is_subscribed(&self, uri: &str) -> bool {
        self.subscriptions.pin().contains(uri)
    }

    /// Cancels what is in flight and ends the stream.
    pub(super) fn end(&self) {
        for call in self.calls.pin().values() {
            call.notify_one();
        }
        self.outbox.end();
    }

    /// Ends the stream alone; calls in flight go on.
    pub(in crate::gateway) fn close_stream(&self) {
        self.outbox.end();
    }

    pub(super) const fn outbox(&self) -> &Outbox {
        &self.outbox
    }
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

/// The levels of a log message, from RFC 5424, the chattiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::gateway) enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    const NAMES: [(&'static str, Self); 8] = [
        ("debug", Self::Debug),
        ("info", Self::Info),
        ("notice", Self::Notice),
        ("warning", Self::Warning),
        ("error", Self::Error),
        ("critical", Self::Critical),
        ("alert", Self::Alert),
        ("emergency", Self::Emergency),
    ];

    /// The level in `params.level`: of a log message, or as somebody asks for it.
    pub(in crate::gateway) fn of(message: &Message) -> Option<Self> {
        let params = message.params()?;
        let Text(level) = RawObject::parse(&params)?.read("level")?;
        Self::parse(&level)
    }

    /// All names, for somebody who used another one.
    pub(in crate::gateway) fn names() -> String {
        Self::NAMES.map(|(name, _)| name).join(", ")
    }

    pub(in crate::gateway) fn parse(text: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, level)| *level)
    }
}
