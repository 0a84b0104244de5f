//! The session that calls share: opened by one caller for all, and opened again when the backend has forgotten it.

use std::{sync::Arc, time::Duration};

use arc_swap::{ArcSwapOption, Guard};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use super::{
    answer::Reading,
    endpoint::Endpoint,
    era::is_of_another_era,
    exchange::{Says, delete, post},
    pool::Pool,
    question::Question,
    session::Session,
};
use crate::{
    backend::{
        BackendSettings, CallError, HttpSettings, Speaker,
        transport::{
            Delivery, Outlet, ServerInfo, bound::Bound, gate::Gate, serials::Serials,
            watched::Watched, wire,
        },
    },
    lockfree::{Counter, Latest},
    protocol::Message,
};

/// How long the handshake of a session may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Messages without an answer that may be on their way at once; a backend that asks for more gets none.
const ASIDES: usize = 64;

/// A backend behind a Streamable HTTP endpoint.
#[derive(Clone, Debug)]
pub(in crate::backend) struct HttpTransport(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) backend: Arc<BackendSettings>,
    pub(super) pool: Arc<Pool>,
    pub(super) outlet: Outlet,
    pub(super) bound: Arc<Bound>,
    pub(super) watched: Watched,
    /// For clients of older revisions; of a backend that speaks none of them, what stands in `modern` too.
    session: ArcSwapOption<Session>,
    /// For modern clients.
    pub(super) modern: ArcSwapOption<Session>,
    /// 1 once the backend has shown that it is no modern one.
    pub(super) is_legacy: Latest,
    pub(super) question: Question,
    pub(super) known_list: ArcSwapOption<Message>,
    pub(super) gate: Gate,
    pub(super) asides: Arc<Semaphore>,
    /// Held by the task that opens a session, for all who wait for it.
    pub(super) opening: Arc<tokio::sync::Mutex<()>>,
    opened: Counter,
    pub(super) serials: Serials,
}

impl HttpTransport {
    pub(in crate::backend) fn new(
        backend: Arc<BackendSettings>,
        http: &HttpSettings,
        outlet: Outlet,
    ) -> Self {
        let pool = Pool::new(Endpoint::new(http), backend.max_concurrency);
        Self(Arc::new(Shared {
            bound: Arc::new(Bound::of(&backend)),
            backend,
            pool,
            outlet,
            watched: Watched::default(),
            session: ArcSwapOption::empty(),
            modern: ArcSwapOption::empty(),
            is_legacy: Latest::new(0),
            question: Question::default(),
            known_list: ArcSwapOption::empty(),
            gate: Gate::default(),
            asides: Arc::new(Semaphore::new(ASIDES)),
            opening: Arc::default(),
            opened: Counter::new(),
            serials: Serials::default(),
        }))
    }

    /// Opens the session if need be.
    pub(in crate::backend) async fn connect(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<(), CallError> {
        self.session_for(delivery).await.map(drop)
    }

    async fn session_for(&self, delivery: Delivery<'_>) -> Result<Arc<Session>, CallError> {
        let is_modern = matches!(delivery.speaker, Speaker::Modern);
        match self.0.usable(delivery.probe) {
            Some(session) if !is_modern || session.is_modern() => Ok(session),
            // Boxed, like all that calls of most clients never wait for: their futures stay small.
            _ => Box::pin(self.opened_for(delivery, is_modern)).await,
        }
    }

    async fn opened_for(
        &self,
        delivery: Delivery<'_>,
        is_modern: bool,
    ) -> Result<Arc<Session>, CallError> {
        if is_modern
            && let Some(session) = self.0.modern_for(delivery.deadline, delivery.probe).await?
        {
            return Ok(session);
        }
        timeout_at(delivery.deadline, self.0.session())
            .await
            .unwrap_or_else(|_| Err(CallError::unreachable("its session is still being opened")))
    }

    /// Sends a request. Where the backend has forgotten the session, the next attempt opens a new one.
    pub(in crate::backend) async fn request(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        let session = self.session_for(delivery).await?;
        let answer = self.0.call(&session, delivery).await;
        let answer = if is_of_another_era(&session, &answer) {
            // It was refused before anything was done.
            Err(CallError::SessionLost)
        } else {
            answer
        };
        match &answer {
            Err(CallError::SessionLost) => self.0.forget(&session),
            Err(_) => {
                session.doubt();
                self.0.ask_again();
            }
            Ok(_) => {}
        }
        answer
    }

    pub(in crate::backend) async fn notify(&self, message: &Message) -> Result<(), CallError> {
        let session = self.0.session().await?;
        if session.is_modern() {
            // A modern server takes none over HTTP.
            return Ok(());
        }
        let posted = self.0.post_aside(&session, message).await;
        if posted == Err(CallError::SessionLost) {
            self.0.forget(&session);
        }
        posted
    }

    pub(in crate::backend) async fn info(&self) -> Result<Arc<ServerInfo>, CallError> {
        Ok(Arc::clone(&self.0.session().await?.info))
    }

    pub(in crate::backend) fn name(&self) -> &'static str {
        if self.is_stream() {
            "sse"
        } else {
            "streamable-http"
        }
    }

    pub(in crate::backend) fn is_stream(&self) -> bool {
        let session = self.0.session.load();
        session
            .as_ref()
            .is_some_and(|session| session.stream().is_some())
    }

    pub(in crate::backend) fn is_modern(&self) -> bool {
        self.0.modern.load().is_some()
    }

    /// What it says of itself to modern clients, if it speaks to them.
    pub(in crate::backend) async fn modern_info(
        &self,
        deadline: Instant,
    ) -> Result<Option<Arc<ServerInfo>>, CallError> {
        let session = self.0.modern_for(deadline, false).await?;
        Ok(session.map(|session| Arc::clone(&session.info)))
    }

    pub(in crate::backend) fn is_running(&self) -> bool {
        let session = self.0.session.load();
        session.as_ref().is_some_and(|session| session.is_alive()) || self.is_modern()
    }

    /// How often a session was opened again.
    pub(in crate::backend) fn restarts(&self) -> u64 {
        self.0.opened.total().saturating_sub(1)
    }

    pub(in crate::backend::transport) fn watched(&self) -> &Watched {
        &self.0.watched
    }

    pub(in crate::backend::transport) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Ends the session, as far as the backend answers until `deadline`, and closes the connections that wait.
    pub(in crate::backend) async fn rest(&self, deadline: Instant) {
        let Shared {
            gate,
            pool,
            session,
            modern,
            ..
        } = &*self.0;
        let (session, modern) = gate.stop(|| (session.swap(None), modern.swap(None)));
        if let Some(modern) = modern {
            modern.end();
        }
        let Some(session) = session else {
            return pool.clear();
        };
        session.end();
        if session.has_id {
            let _ = timeout_at(deadline, pool.send(&delete(pool.endpoint(), &session))).await;
        }
        pool.clear();
    }
}

impl Shared {
    /// The open session, if it is good enough: a probe of the breaker wants one in which no call has failed.
    fn usable(&self, probe: bool) -> Option<Arc<Session>> {
        let session = self.session.load_full()?;
        if (probe && session.is_doubted()) || !session.is_alive() {
            self.let_go(&session);
            return None;
        }
        Some(session)
    }

    async fn session(self: &Arc<Self>) -> Result<Arc<Session>, CallError> {
        if let Some(session) = self.usable(false) {
            return Ok(session);
        }
        let turn = Arc::clone(&self.opening).lock_owned().await;
        if let Some(session) = self.usable(false) {
            return Ok(session);
        }
        // A task of its own: a caller that gives up does not undo the handshake for those who wait behind it.
        let shared = Arc::clone(self);
        let open = tokio::spawn(async move {
            let _turn = turn;
            timeout(OPEN_TIMEOUT, shared.open())
                .await
                .unwrap_or(Err(CallError::TimedOut {
                    after: OPEN_TIMEOUT,
                }))
        });
        open.await
            .unwrap_or_else(|error| {
                Err(CallError::unreachable(format!(
                    "its handshake was broken off: {error}"
                )))
            })
            .map_err(before_the_call)
    }

    async fn open(self: &Arc<Self>) -> Result<Arc<Session>, CallError> {
        let pass = self.gate.enter()?;
        let session = match self.initialize().await {
            // A server of the newest or of the first revision refuses the request in one of these ways.
            Err(
                error @ (CallError::Protocol { .. }
                | CallError::Http {
                    status: 400..500, ..
                }),
            ) => match self.discover().await? {
                Some(session) => session,
                None => self.open_stream().await?.ok_or(error)?,
            },
            opened => opened?,
        };
        self.gate.keep(pass, || {
            self.session.store(Some(Arc::clone(&session)));
            if session.is_modern() {
                self.keep_modern(&session);
            }
        })?;
        self.opened.add(1);
        self.listen(&session);
        tracing::info!(backend = %self.backend.name, revision = session.revision(), "Backend session opened");
        Ok(session)
    }

    async fn initialize(self: &Arc<Self>) -> Result<Arc<Session>, CallError> {
        let serial = self.serials.next();
        let initialize = self.outlet.initialize(self.backend.revision);
        let name = serial.to_string();
        let mut edit = wire::outgoing(&initialize, &name);
        let request = post(self.pool.endpoint(), Says::default(), edit.pieces());
        let (mut head, lease) = self.pool.send(&request).await?;
        let id = head.session.take();
        let reading = Reading {
            serial,
            in_session: false,
            settings: &self.backend,
            bound: &self.bound,
            known: None,
            aside: &|_| (),
        };
        let answer = reading.answer(&head, lease).await?;
        let info = Arc::new(ServerInfo::from_answer(&answer, &self.backend)?);
        let session = Arc::new(Session::new(id, info));
        self.post_aside(&session, &wire::initialized()).await?;
        Ok(session)
    }

    /// Takes this one for modern clients; what stood there before is listened to no longer.
    pub(super) fn keep_modern(&self, session: &Arc<Session>) {
        if let Some(earlier) = self.modern.swap(Some(Arc::clone(session))) {
            earlier.end();
        }
    }

    /// Lets go of `lost`, unless somebody has opened a new session already.
    pub(super) fn forget(&self, lost: &Arc<Session>) {
        if self.let_go(lost) {
            tracing::warn!(backend = %self.backend.name, "Backend forgot its session");
        }
    }

    /// Whether it was the one in use.
    fn let_go(&self, lost: &Arc<Session>) -> bool {
        self.question.ask_anew();
        self.ask_again();
        lost.end();
        let is_it = |found: Guard<Option<Arc<Session>>>| {
            found.as_ref().is_some_and(|found| Arc::ptr_eq(found, lost))
        };
        let was_modern = is_it(self.modern.compare_and_swap(lost, None));
        is_it(self.session.compare_and_swap(lost, None)) || was_modern
    }
}

/// What went wrong while the session was opened, for a call that has not been sent.
fn before_the_call(error: CallError) -> CallError {
    match error {
        CallError::Lost { reason } => CallError::unreachable(reason),
        CallError::TimedOut { after } => {
            CallError::unreachable(format!("it did not answer initialize within {after:?}"))
        }
        CallError::SessionLost => {
            CallError::unreachable("it forgot its session before the handshake was done")
        }
        CallError::Http {
            status: 404 | 405, ..
        } => {
            CallError::protocol("there is no MCP endpoint at its URL; check the path of `http_url`")
        }
        CallError::Http {
            status: status @ 500..,
            excerpt,
            retry_after: None,
        } => CallError::unreachable(format!(
            "it answered initialize with HTTP {status}: {excerpt}"
        )),
        other => other,
    }
}
