//! The gateway as the server holds it: what it was made from, and the doors into it.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use arc_swap::{ArcSwap, Guard};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    bridge::{LentLines, Parked},
    directory::Directory,
    inbound::{Caller, EventStream, GoneOn, Reply, Route},
    member::Member,
    objectives::{Alarms, Watched},
    overhead::Overhead,
    pages::Live,
    reload::{Reloads, Retiring},
    replies::Refusal,
    sessions::{Session, Sessions},
    settings::GatewaySettings,
    table::Table,
    watch::Watch,
};
use crate::{
    backend::Backend,
    lockfree::Latest,
    telemetry::{Clock, Tracer, trace::Post},
};

/// All backends behind one endpoint. Requests read snapshots and take no lock.
pub struct Gateway {
    pub(super) clock: Clock,
    tracer: Tracer,
    pub(super) table: ArcSwap<Table>,
    pub(super) retiring: Retiring,
    pub(super) reloads: Reloads,
    pub(super) sessions: Sessions,
    pub(super) overhead: Overhead,
    pub(super) watched: Watched,
    pub(super) alarms: OnceLock<Alarms>,
    pub(super) watch: Watch,
    /// The way to the task that the live page is made by.
    pub(super) live: Live,
    draining: Latest,
    /// Ways to older backends that modern clients use by turns.
    pub(super) lent: LentLines,
    /// Calls that wait for input of modern clients.
    pub(super) parked: Parked,
    /// Whether subscriptions end; one that is opened after that ends at once.
    pub(super) closing: watch::Sender<bool>,
}

impl Gateway {
    /// A gateway over these backends; nothing is started before somebody calls.
    /// Of two backends with one name the later is left out.
    #[must_use]
    pub fn new(settings: GatewaySettings, backends: Vec<Arc<Backend>>, clock: Clock) -> Arc<Self> {
        Self::traced(settings, backends, clock, Tracer::off())
    }

    /// The same, with traces of its requests.
    #[must_use]
    pub fn traced(
        settings: GatewaySettings,
        mut backends: Vec<Arc<Backend>>,
        clock: Clock,
        tracer: Tracer,
    ) -> Arc<Self> {
        backends.sort_by(|one, other| one.name().cmp(other.name()));
        backends.dedup_by(|later, earlier| later.name() == earlier.name());
        let members = backends
            .into_iter()
            .map(|backend| Arc::new(Member::new(backend)))
            .collect();
        Arc::new(Self {
            sessions: Sessions::new(settings.sessions.clone()),
            reloads: Reloads::new(clock.now().millis()),
            retiring: Retiring::default(),
            clock,
            tracer,
            table: ArcSwap::from_pointee(Table::new(settings, members)),
            overhead: Overhead::new(),
            watched: Watched::default(),
            alarms: OnceLock::new(),
            watch: Watch::default(),
            live: Live::default(),
            draining: Latest::new(0),
            lent: LentLines::default(),
            parked: Parked::new(),
            closing: watch::Sender::new(false),
        })
    }

    /// The clock that all its stamps come from.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Has what changes told to somebody outside. To be called before [`Gateway::supervise`], once.
    pub fn tell_alarms(&self, post: Arc<dyn Post>) {
        // A second one has nobody who asks for it.
        let _ = self.alarms.set(Alarms::new(post));
    }

    /// What begins the traces of its requests.
    #[must_use]
    pub const fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Opens the stream on which a session gets what belongs to no call of its own.
    ///
    /// # Errors
    /// Without a session id, or with one that is not this caller's on this route.
    pub fn listen(
        &self,
        route: &Route,
        session: Option<&str>,
        caller: &Caller,
    ) -> Result<Box<dyn EventStream>, Reply> {
        let session = self.listener(route, session, caller);
        session
            .map(|session| session.listen())
            .map_err(|refusal| refusal.reply(None))
    }

    /// Goes on with a stream of a session after the event of this id: the one that [`Gateway::listen`] opened, or that of a
    /// call. With an id that is none of this session's it is as if nothing had been heard.
    ///
    /// # Errors
    /// As [`Gateway::listen`], and where the stream was that of a call and nothing of it is kept.
    pub fn resume(
        &self,
        route: &Route,
        session: Option<&str>,
        caller: &Caller,
        id: &str,
    ) -> Result<GoneOn, Reply> {
        let session = self.listener(route, session, caller);
        session
            .and_then(|session| {
                let gone = || Refusal::NotKept(id.into());
                session.resume(id).ok_or_else(gone)
            })
            .map_err(|refusal| refusal.reply(None))
    }

    fn listener(
        &self,
        route: &Route,
        session: Option<&str>,
        caller: &Caller,
    ) -> Result<Arc<Session>, Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        let id = session.ok_or(Refusal::MissingSession)?;
        self.sessions.find(id, caller, route, self.clock.now())
    }

    /// Whether this caller may open an event stream that is a session of its own, where so many are `open` already.
    ///
    /// # Errors
    /// What keeps it from that.
    pub fn admit_stream(&self, route: &Route, caller: &Caller, open: usize) -> Result<(), Refusal> {
        if self.is_draining() {
            return Err(Refusal::Draining);
        }
        let table = self.table();
        if let Route::Backend(name) = route {
            table.endpoint(name, caller)?;
        }
        let most = table.settings().sessions.max;
        if open >= most {
            return Err(Refusal::TooManySessions(most));
        }
        Ok(())
    }

    /// Ends a session: its stream closes, its calls are cancelled, its id is unknown from now on.
    ///
    /// # Errors
    /// Without a session id, or with one that is not this caller's.
    pub fn end_session(
        self: &Arc<Self>,
        session: Option<&str>,
        caller: &Caller,
    ) -> Result<(), Reply> {
        session
            .ok_or(Refusal::MissingSession)
            .and_then(|id| self.sessions.end(id, caller))
            .map(|ended| self.take_back(&ended))
            .map_err(|refusal| refusal.reply(None))
    }

    /// Closes the streams that belong to no call, each with its last word. Calls in flight go on.
    pub fn close_streams(&self) {
        self.closing.send_replace(true);
        self.sessions.for_each(|session| session.close_stream());
    }

    /// The clients say nothing any more: what they are asked is declined. Calls in flight go on.
    pub fn end_of_answers(&self) {
        self.sessions.for_each(|session| session.decline_all());
    }

    /// Takes no new requests from now on.
    fn drain(&self) {
        self.draining.set(1);
        self.close_streams();
    }

    /// Ends what is left: sessions, the tasks of [`Gateway::supervise`], and every backend, side by side, until `deadline`.
    pub async fn shutdown(&self, deadline: Instant) {
        self.drain();
        self.watch.end();
        self.sessions.end_all();
        self.parked.end();
        self.lent.end();
        let mut ends = JoinSet::new();
        for backend in self.all_backends() {
            ends.spawn(async move { backend.shutdown(deadline).await });
        }
        ends.join_all().await;
    }

    /// Every backend that has not ended. None can be added once requests are no longer taken.
    fn all_backends(&self) -> Vec<Arc<Backend>> {
        let mut backends = self.retiring.lock().clone();
        for member in self.table().members() {
            member.watch().end();
            backends.push(Arc::clone(member.backend()));
        }
        backends
    }

    /// Whether requests are taken.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.is_draining()
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.value() != 0
    }

    /// The backends as of now, for a look that waits for nothing.
    pub(super) fn table(&self) -> Guard<Arc<Table>> {
        self.table.load()
    }

    /// The backends as of now, to be kept for as long as it takes.
    pub(super) fn snapshot(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// The backend with this name, if the caller may use it.
    pub(super) fn member(&self, name: &str, caller: &Caller) -> Result<Arc<Member>, Refusal> {
        self.table().member(name, caller).cloned()
    }

    /// All tools under their public names, as of now.
    pub(super) fn directory(&self) -> Arc<Directory> {
        Arc::clone(self.table().directory())
    }

    /// Names all tools anew, after a list has changed.
    pub(super) fn rename(&self) {
        // Built inside the swap, so that of two changes at once none is lost.
        self.table.rcu(|table| table.renamed());
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = self.table();
        let names: Vec<&str> = table.members().iter().map(|member| member.name()).collect();
        f.debug_struct("Gateway")
            .field("backends", &names)
            .finish_non_exhaustive()
    }
}
