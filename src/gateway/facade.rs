//! The gateway as the server holds it: what it was made from, and the doors into it.

use std::{collections::HashMap, fmt, sync::Arc};

use arc_swap::ArcSwap;
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    directory::Directory,
    inbound::{Caller, EventStream, Reply, Route},
    member::Member,
    meta_tools::MetaTool,
    nearest::nearest,
    replies::Refusal,
    sessions::Sessions,
    settings::GatewaySettings,
    watch::Watch,
};
use crate::{
    backend::Backend,
    lockfree::{Latest, Recorder},
    telemetry::Clock,
};

/// All backends behind one endpoint. Requests read snapshots and take no lock.
pub struct Gateway {
    pub(super) settings: GatewaySettings,
    pub(super) clock: Clock,
    members: Vec<Arc<Member>>,
    places: HashMap<Box<str>, usize>,
    directory: ArcSwap<Directory>,
    pub(super) sessions: Sessions,
    pub(super) overhead: Recorder,
    pub(super) watch: Watch,
    draining: Latest,
    /// Whether subscriptions end; one that is opened after that ends at once.
    pub(super) closing: watch::Sender<bool>,
}

impl Gateway {
    /// A gateway over these backends; nothing is started before somebody calls.
    /// Of two backends with one name the later is left out.
    #[must_use]
    pub fn new(
        settings: GatewaySettings,
        mut backends: Vec<Arc<Backend>>,
        clock: Clock,
    ) -> Arc<Self> {
        backends.sort_by(|one, other| one.name().cmp(other.name()));
        backends.dedup_by(|later, earlier| later.name() == earlier.name());
        let members: Vec<_> = backends
            .into_iter()
            .map(|backend| Arc::new(Member::new(backend)))
            .collect();
        let places = members
            .iter()
            .enumerate()
            .map(|(place, member)| (member.name().into(), place))
            .collect();
        let directory = ArcSwap::from_pointee(directory(&settings, &members));
        Arc::new(Self {
            sessions: Sessions::new(settings.sessions.clone()),
            settings,
            clock,
            members,
            places,
            directory,
            overhead: Recorder::new(),
            watch: Watch::default(),
            draining: Latest::new(0),
            closing: watch::Sender::new(false),
        })
    }

    /// The clock that all its stamps come from.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
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
        let refuse = |refusal: Refusal| refusal.reply(None);
        if self.is_draining() {
            return Err(refuse(Refusal::Draining));
        }
        let id = session.ok_or_else(|| refuse(Refusal::MissingSession))?;
        let session = self.sessions.find(id, caller, route, self.clock.now());
        session.map(|session| session.listen()).map_err(refuse)
    }

    /// Ends a session: its stream closes, its calls are cancelled, its id is unknown from now on.
    ///
    /// # Errors
    /// Without a session id, or with one that is not this caller's.
    pub fn end_session(&self, session: Option<&str>, caller: &Caller) -> Result<(), Reply> {
        session
            .ok_or(Refusal::MissingSession)
            .and_then(|id| self.sessions.end(id, caller))
            .map_err(|refusal| refusal.reply(None))
    }

    /// Closes the streams that belong to no call, each with its last word. Calls in flight go on.
    pub fn close_streams(&self) {
        self.closing.send_replace(true);
        self.sessions.for_each(|session| session.close_stream());
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
        let mut ends = JoinSet::new();
        for member in &self.members {
            let backend = Arc::clone(member.backend());
            ends.spawn(async move { backend.shutdown(deadline).await });
        }
        ends.join_all().await;
    }

    /// Whether requests are taken.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.is_draining()
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.value() != 0
    }

    /// All backends, in the order of their names.
    pub(super) fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    /// The backends that this caller may use.
    pub(super) fn members_for<'a>(
        &'a self,
        caller: &'a Caller,
    ) -> impl Iterator<Item = &'a Arc<Member>> {
        self.members
            .iter()
            .filter(|member| caller.may_use(member.name()))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Member>> {
        self.places
            .get(name)
            .and_then(|place| self.members.get(*place))
    }

    /// The backend with this name, if the caller may use it.
    pub(super) fn member(&self, name: &str, caller: &Caller) -> Result<&Arc<Member>, Refusal> {
        let member = self.find(name).ok_or_else(|| Refusal::UnknownBackend {
            name: name.into(),
            suggest: self.nearest_backend(name, caller),
        })?;
        if caller.may_use(name) {
            Ok(member)
        } else {
            Err(Refusal::BackendForbidden(name.into()))
        }
    }

    /// The same for a name that stands in a path, which is not there if the backend is not.
    pub(super) fn endpoint(&self, name: &str, caller: &Caller) -> Result<&Arc<Member>, Refusal> {
        self.member(name, caller).map_err(|refusal| match refusal {
            Refusal::UnknownBackend { name, suggest } => Refusal::NoSuchEndpoint { name, suggest },
            other => other,
        })
    }

    pub(super) fn nearest_backend(&self, name: &str, caller: &Caller) -> Option<Box<str>> {
        let names = self.members_for(caller).map(|member| member.name());
        nearest(name, names).map(Into::into)
    }

    /// All tools under their public names, as of now.
    pub(super) fn directory(&self) -> Arc<Directory> {
        self.directory.load_full()
    }

    /// Names all tools anew, after a list has changed.
    pub(super) fn rename(&self) {
        // Built inside the swap, so that of two changes at once none is lost.
        self.directory
            .rcu(|_| directory(&self.settings, &self.members));
    }
}

fn directory(settings: &GatewaySettings, members: &[Arc<Member>]) -> Directory {
    let reserved = MetaTool::ALL.map(MetaTool::name);
    Directory::new(members, settings.meta_mcp.naming, reserved)
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.members.iter().map(|member| member.name()).collect();
        f.debug_struct("Gateway")
            .field("backends", &names)
            .finish_non_exhaustive()
    }
}
