//! One call in a session: the request goes out, what comes before the answer goes aside, and a caller that leaves is told of.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use tokio::time::{sleep, timeout};

use super::{
    answer::{Read, Reading, Resumption, ended, finish},
    era::mirrored,
    exchange::{Says, SendError, get, post},
    session::Session,
    transport::Shared,
};
use crate::{
    backend::{
        CallError, EventSender,
        transport::{Delivery, wire},
    },
    protocol::{Era, Kind, Message},
};

/// How long a notification may take to be accepted.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(5);
/// The pause before a stream is gone on with whose backend names none, and the shortest.
const RESUME: Duration = Duration::from_secs(1);
const SHORTEST_RESUME: Duration = Duration::from_millis(50);

impl Shared {
    pub(super) async fn call(
        self: &Arc<Self>,
        session: &Arc<Session>,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        if let Some(stream) = session.stream() {
            let message = delivery.in_era(Era::Legacy);
            let mut doubting = Doubting(Some(session));
            let answer = Box::pin(stream.request(&message, delivery.events)).await;
            doubting.0 = None;
            return answer;
        }
        let serial = self.serials.next();
        let name = serial.to_string();
        let message = delivery.before_lead(session.info.era);
        let mut edit = delivery.led(wire::outgoing(&message, &name));
        let mirrored = if session.is_modern() {
            mirrored(&message, delivery.param_headers)
        } else {
            String::new()
        };
        let says = Says {
            session: Some(session),
            request_id: Some(delivery.request_id),
            carried: delivery.carried,
            mirrored: &mirrored,
        };
        let request = post(self.pool.endpoint(), says, edit.pieces());
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
                bound: &self.bound,
                known: lists.then_some(&self.known_list),
                aside: &aside,
            };
            match reading.read_response(&head, lease).await? {
                Read::Answer(answer) => Ok(answer),
                // A stream of the newest revision cannot be gone on with.
                Read::ToBeResumed(_) if session.is_modern() => Err(ended()),
                Read::ToBeResumed(from) => Box::pin(self.resume(session, &reading, from)).await,
            }
        };
        let answer = answered.await;
        guard.armed = false;
        answer
    }

    /// Looks for the answer on the session's stream, where the backend has closed that of the call.
    async fn resume(
        &self,
        session: &Arc<Session>,
        reading: &Reading<'_>,
        mut from: Resumption,
    ) -> Result<Message, CallError> {
        loop {
            sleep(from.retry.unwrap_or(RESUME).max(SHORTEST_RESUME)).await;
            let last_event = from.last_event.as_deref();
            let request = get(self.pool.endpoint(), Some(session), last_event);
            let (head, lease) = self.pool.send(&request).await.map_err(lost)?;
            if head.status == StatusCode::NOT_FOUND && session.has_id {
                // The call has begun to run: it is the next one that finds a new session.
                self.forget(session);
                return Err(CallError::lost(
                    "its event stream ended without an answer, and it has forgotten the session",
                ));
            }
            match reading.resumed(&head, lease, from).await? {
                Read::Answer(answer) => return Ok(answer),
                Read::ToBeResumed(further) => from = further,
            }
        }
    }

    /// What a backend says on a call's stream before the answer.
    fn aside(self: &Arc<Self>, session: &Arc<Session>, delivery: &Delivery<'_>, message: Message) {
        if message.kind() == Kind::Request {
            // A modern server asks in its answers, and takes none here.
            if !session.is_modern() {
                self.asked(session, delivery.events, message);
            }
        } else if message.method().is_some_and(wire::is_for_everybody) {
            self.say(session, delivery.events, message);
        } else {
            wire::forward(delivery.events, delivery.message, &message);
        }
    }

    /// Hands on what a backend says to everybody in a session of older revisions or on a stream of a call. That a list has
    /// changed is not said a second time where the subscription of a backend of both eras says it.
    pub(super) fn say(&self, session: &Session, call: Option<&EventSender>, message: Message) {
        let is_told = |modern: &Session| modern.is_told(&message);
        if !session.is_modern() && self.modern.load().as_deref().is_some_and(is_told) {
            return;
        }
        self.outlet.say_during(call, message);
    }

    /// A request of the backend.
    pub(super) fn asked(
        self: &Arc<Self>,
        session: &Arc<Session>,
        call: Option<&EventSender>,
        request: Message,
    ) {
        let (shared, asking) = (Arc::clone(self), Arc::clone(session));
        let reply = move |answer| shared.post_later(&asking, answer);
        if let Some(answer) = self.outlet.ask(call, request, reply) {
            self.post_later(session, answer);
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
    pub(super) async fn post_aside(
        self: &Arc<Self>,
        session: &Session,
        message: &Message,
    ) -> Result<(), CallError> {
        if let Some(stream) = session.stream() {
            return stream.notify(message);
        }
        let mut edit = message.edit();
        let says = Says {
            session: Some(session),
            ..Says::default()
        };
        let request = post(self.pool.endpoint(), says, edit.pieces());
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

/// A call that is given up makes its session doubtful: a stream may be dead without a word.
struct Doubting<'a>(Option<&'a Session>);

impl Drop for Doubting<'_> {
    fn drop(&mut self) {
        if let Some(session) = self.0 {
            session.doubt();
        }
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
            // A modern server is told by the connection that closes.
            if !self.session.is_modern() {
                self.shared
                    .post_later(self.session, wire::cancelled(self.serial));
            }
        }
    }
}

/// What went wrong with the rest of an answer: the call itself was read long ago.
fn lost(error: SendError) -> CallError {
    match error {
        SendError::Unsent(reason) | SendError::Lost(reason) => CallError::lost(reason),
    }
}
