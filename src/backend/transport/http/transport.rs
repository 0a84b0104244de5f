//! The session that calls share: opened by one caller for all, and opened again when the backend has forgotten it.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use http::StatusCode;
use tokio::{
    sync::{Semaphore, broadcast},
    time::{Instant, timeout, timeout_at},
};

use super::{
    answer::{Reading, finish},
    endpoint::Endpoint,
    exchange::{delete, post},
    pool::Pool,
    session::Session,
};
use crate::{
    backend::{
        BackendSettings, CallError, HttpSettings,
        transport::{Delivery, ServerInfo, gate::Gate, serials::Serials, wire},
    },
    lockfree::Counter,
    protocol::Message,
};

/// How long the handshake of a session may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a notification may take to be accepted.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(5);
/// Messages without an answer that may be on their way at once; a backend that asks for more gets none.
const ASIDES: usize = 64;

/// A backend behind a Streamable HTTP endpoint.
#[derive(Debug)]
pub(in crate::backend) struct HttpTransport(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    backend: Arc<BackendSettings>,
    pool: Arc<Pool>,
    notices: broadcast::Sender<Message>,
    session: ArcSwapOption<Session>,
    known_list: ArcSwapOption<Message>,
    gate: Gate,
    asides: Arc<Semaphore>,
    /// Held by the task that opens a session, for all who wait for it.
    opening: Arc<tokio::sync::Mutex<()>>,
    opened: Counter,
    serials: Serials,
}

impl HttpTransport {
    pub(in crate::backend) fn new(
        backend: Arc<BackendSettings>,
        http: &HttpSettings,
        notices: broadcast::Sender<Message>,
    ) -> Self {
        let pool = Pool::new(Endpoint::new(http), backend.max_concurrency);
        Self(Arc::new(Shared {
            backend,
            pool,
            notices,
            session: ArcSwapOption::empty(),
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
        match self.0.usable(delivery.probe) {
            Some(session) => Ok(session),
            None => timeout_at(delivery.deadline, self.0.session())
                .await
                .unwrap_or_else(|_| {
                    Err(CallError::unreachable("its session is still being opened"))
                }),
        }
    }

    /// Sends a request. Where the backend has forgotten the session, the next attempt opens a new one.
    pub(in crate::backend) async fn request(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        let session = self.session_for(delivery).await?;
        let answer = self.0.call(&session, delivery).await;
        match &answer {
            Err(CallError::SessionLost) => self.0.forget(&session),
            Err(_) => session.doubt(),
            Ok(_) => {}
        }
        answer
    }

    pub(in crate::backend) async fn notify(&self, message: &Message) -> Result<(), CallError> {
        let session = self.0.session().await?;
        let posted = self.0.post_aside(&session, message).await;
        if posted == Err(CallError::SessionLost) {
            self.0.forget(&session);
        }
        posted
    }

    pub(in crate::backend) async fn info(&self) -> Result<Arc<ServerInfo>, CallError> {
        Ok(Arc::clone(&self.0.session().await?.info))
    }

    pub(in crate::backend) fn is_running(&self) -> bool {
        self.0.session.load().is_some()
    }

    /// How often a session was opened again.
    pub(in crate::backend) fn restarts(&self) -> u64 {
        self.0.opened.total().saturating_sub(1)
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
            ..
        } = &*self.0;
        if let Some(session) = gate.stop(|| session.swap(None))
            && session.has_id
        {
            let _ = timeout_at(deadline, pool.send(&delete(pool.endpoint(), &session))).await;
        }
        pool.clear();
    }
}

impl Shared {
    /// The open session, if it is good enough: a probe of the breaker wants one in which no call has failed.
    fn usable(&self, probe: bool) -> Option<Arc<Session>> {
        let session = self.session.load_full()?;
        if probe && session.is_doubted() {
            self.session.compare_and_swap(&session, None);
            return None;
        }
        Some(session)
    }

    async fn session(self: &Arc<Self>) -> Result<Arc<Session>, CallError> {
        if let Some(session) = self.session.load_full() {
            return Ok(session);
        }
        let turn = Arc::clone(&self.opening).lock_owned().await;
        if let Some(session) = self.session.load_full() {
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
        let serial = self.serials.next();
        let initialize = wire::initialize(self.backend.revision);
        let name = serial.to_string();
        let mut edit = wire::outgoing(&initialize, &name);
        let request = post(self.pool.endpoint(), None, None, edit.pieces());
        let (mut head, lease) = self.pool.send(&request).await?;
        let id = head.session.take();
        let reading = Reading {
            serial,
            in_session: false,
            settings: &self.backend,
            known: None,
            aside: &|_| (),
        };
        let answer = reading.answer(&head, lease).await?;
        let info = Arc::new(ServerInfo::from_answer(&answer, &self.backend)?);
        let session = Arc::new(Session::new(id, info));
        self.post_aside(&session, &wire::initialized()).await?;
        self.gate
            .keep(pass, || self.session.store(Some(Arc::clone(&session))))?;
        self.opened.add(1);
        tracing::info!(backend = %self.backend.name, revision = session.info.revision.as_str(), "Backend session opened");
        Ok(session)
    }

    /// Lets go of `lost`, unless somebody has opened a new session already.
    fn forget(&self, lost: &Arc<Session>) {
        let found = self.session.compare_and_swap(lost, None);
        if found.as_ref().is_some_and(|found| Arc::ptr_eq(found, lost)) {
            tracing::warn!(backend = %self.backend.name, "Backend forgot its session");
        }
    }

    async fn call(
        self: &Arc<Self>,
        session: &Arc<Session>,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        let serial = self.serials.next();
        let name = serial.to_string();
        let mut edit = wire::outgoing(delivery.message, &name);
        let request = post(
            self.pool.endpoint(),
            Some(session),
            Some(delivery.request_id),
            edit.pieces(),
        );
        let mut guard = CancelOnDrop {
            shared: self,
            session,
            serial,
            armed: true,
        };
        let method = delivery.message.method();
        let lists = method.is_some_and(|method| method.ends_with("/list"));
        let answered = async {
            let (head, lease) = self.pool.send(&request).await?;
            let aside = |message| self.aside(session, &delivery, message);
            let reading = Reading {
                serial,
                in_session: session.has_id,
                settings: &self.backend,
                known: lists.then_some(&self.known_list),
                aside: &aside,
            };
            reading.answer(&head, lease).await
        };
        let answer = answered.await;
        guard.armed = false;
        answer
    }

    /// What a backend says on a call's stream before the answer.
    fn aside(self: &Arc<Self>, session: &Arc<Session>, delivery: &Delivery<'_>, message: Message) {
        if let Some(answer) = wire::answer_for_client(&message) {
            self.post_later(session, answer);
        } else if message.method().is_some_and(wire::is_for_everybody) {
            let _ = self.notices.send(message);
        } else {
            wire::forward(delivery.events, delivery.message, &message);
        }
    }

    fn post_later(self: &Arc<Self>, session: &Arc<Session>, message: Message) {
        let Ok(permit) = Arc::clone(&self.asides).try_acquire_owned() else {
            tracing::debug!(backend = %self.backend.name, "A message was dropped: too many are on their way");
            return;
        };
        let (shared, session) = (Arc::clone(self), Arc::clone(session));
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = shared.post_aside(&session, &message).await {
                tracing::debug!(backend = %shared.backend.name, %error, "A message did not arrive");
            }
        });
    }

    /// Posts a message that has no answer.
    async fn post_aside(
        self: &Arc<Self>,
        session: &Session,
        message: &Message,
    ) -> Result<(), CallError> {
        let mut edit = message.edit();
        let request = post(self.pool.endpoint(), Some(session), None, edit.pieces());
        let posted = timeout(NOTIFY_TIMEOUT, async {
            let (head, lease) = self.pool.send(&request).await?;
            let status = head.status;
            if status.is_success() {
                finish(lease).await;
                return Ok(());
            }
            if status == StatusCode::NOT_FOUND && session.has_id {
                return Err(CallError::SessionLost);
            }
            Err(CallError::Http {
                status: status.as_u16(),
                excerpt: "".into(),
                retry_after: None,
            })
        });
        posted.await.unwrap_or(Err(CallError::TimedOut {
            after: NOTIFY_TIMEOUT,
        }))
    }
}

struct CancelOnDrop<'a> {
    shared: &'a Arc<Shared>,
    session: &'a Arc<Session>,
    serial: u64,
    armed: bool,
}

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if self.armed && tokio::runtime::Handle::try_current().is_ok() {
            self.session.doubt();
            self.shared
                .post_later(self.session, wire::cancelled(self.serial));
        }
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
