//! The session that calls share: opened by one caller for all, and opened again when the backend has forgotten it.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use tokio::{
    sync::broadcast,
    time::{Instant, timeout, timeout_at},
};

use super::{
    answer::Reading,
    endpoint::Endpoint,
    exchange::{delete, post, session_id},
    pool::Pool,
    session::Session,
};
use crate::{
    backend::{
        BackendSettings, CallError, HttpSettings,
        transport::{Delivery, ServerInfo, wire},
    },
    lockfree::Counter,
    protocol::Message,
};

/// How long the handshake of a session may take.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a notification may take to be accepted.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(5);

/// A backend behind a Streamable HTTP endpoint.
#[derive(Debug)]
pub(in crate::backend) struct HttpTransport(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    backend: Arc<BackendSettings>,
    pool: Arc<Pool>,
    notices: broadcast::Sender<Message>,
    session: ArcSwapOption<Session>,
    /// Held by the task that opens a session, for all who wait for it.
    opening: Arc<tokio::sync::Mutex<()>>,
    opened: Counter,
    serials: Counter,
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
            opening: Arc::default(),
            opened: Counter::new(),
            serials: Counter::new(),
        }))
    }

    /// Sends a request. Where the backend has forgotten the session, the next attempt opens a new one.
    pub(in crate::backend) async fn request(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        let session = self.0.session().await?;
        let answer = self.0.call(&session, delivery).await;
        if matches!(answer, Err(CallError::SessionLost)) {
            self.0.forget(&session);
        }
        answer
    }

    pub(in crate::backend) async fn notify(&self, message: &Message) -> Result<(), CallError> {
        let session = self.0.session().await?;
        self.0.post_aside(&session, message).await
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

    /// Ends the session, as far as the backend answers until `deadline`.
    pub(in crate::backend) async fn stop(&self, deadline: Instant) {
        let Some(session) = self.0.session.swap(None) else {
            return;
        };
        if session.id.is_some() {
            let _ = timeout_at(
                deadline,
                self.0.pool.send(delete(self.0.pool.endpoint(), &session)),
            )
            .await;
        }
    }
}

impl Shared {
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
            .unwrap_or_else(|error| Err(protocol(format!("the handshake was broken off: {error}"))))
    }

    async fn open(self: &Arc<Self>) -> Result<Arc<Session>, CallError> {
        let serial = self.serials.next();
        let initialize = wire::initialize(self.backend.revision);
        let request = post(
            self.pool.endpoint(),
            None,
            None,
            wire::outgoing(&initialize, serial),
        );
        let (response, lease) = self.pool.send(request).await?;
        let id = session_id(&response);
        let reading = Reading {
            serial,
            max_message_size: self.backend.max_message_size,
            aside: &|_| (),
        };
        let answer = reading
            .answer(response, lease)
            .await
            .map_err(|error| match error {
                CallError::SessionLost => no_endpoint(),
                other => other,
            })?;
        let info = Arc::new(ServerInfo::from_answer(&answer)?);
        let session = Arc::new(Session { id, info });
        self.post_aside(&session, &wire::initialized()).await?;
        self.opened.add(1);
        self.session.store(Some(Arc::clone(&session)));
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
        let body = wire::outgoing(delivery.message, serial);
        let request = post(
            self.pool.endpoint(),
            Some(session),
            Some(delivery.request_id),
            body,
        );
        let mut guard = CancelOnDrop {
            shared: self,
            session,
            serial,
            armed: true,
        };
        let answered = async {
            let (response, lease) = self.pool.send(request).await?;
            let aside = |message| self.aside(session, &delivery, message);
            let reading = Reading {
                serial,
                max_message_size: self.backend.max_message_size,
                aside: &aside,
            };
            reading.answer(response, lease).await
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
        let (shared, session) = (Arc::clone(self), Arc::clone(session));
        tokio::spawn(async move { shared.post_aside(&session, &message).await });
    }

    /// Posts a message that has no answer.
    async fn post_aside(
        self: &Arc<Self>,
        session: &Session,
        message: &Message,
    ) -> Result<(), CallError> {
        let request = post(
            self.pool.endpoint(),
            Some(session),
            None,
            message.bytes().clone(),
        );
        let sent = timeout(NOTIFY_TIMEOUT, self.pool.send(request));
        let (response, lease) = sent.await.map_err(|_| CallError::TimedOut {
            after: NOTIFY_TIMEOUT,
        })??;
        if !response.status().is_success() {
            let (status, excerpt) = (response.status().as_u16(), "".into());
            return Err(CallError::Http {
                status,
                excerpt,
                retry_after: None,
            });
        }
        lease.give_back();
        Ok(())
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
            self.shared
                .post_later(self.session, wire::cancelled(self.serial));
        }
    }
}

fn no_endpoint() -> CallError {
    protocol("there is no MCP endpoint at its URL; check the path of `http_url`")
}

fn protocol(reason: impl Into<Box<str>>) -> CallError {
    CallError::Protocol {
        reason: reason.into(),
    }
}
