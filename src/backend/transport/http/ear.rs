//! What a backend says outside of calls: on the GET stream of a legacy session, or in the one subscription of a modern one.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use tokio::time::{Instant, sleep, timeout};

use super::{
    era::mirrored,
    exchange::{Outgoing, Says, get, post},
    head::Head,
    pool::Lease,
    session::Session,
    transport::Shared,
};
use crate::{
    backend::transport::{Outlet, listening, wire},
    protocol::{Kind, Message, SseEvent},
};

/// The pause before a stream that has ended is opened again; it doubles up to [`LONGEST_PAUSE`] while that fails.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is kept to.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);
/// How long a backend may take to begin its stream.
pub(super) const BEGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Listens to one session for as long as it is the one in use.
struct Ear {
    shared: Arc<Shared>,
    session: Arc<Session>,
    /// Where a legacy stream goes on.
    last_event: Option<Box<str>>,
    /// What the backend asks to be waited before the stream is opened again.
    retry: Option<Duration>,
}

/// Why a stream is over.
#[derive(Debug, PartialEq, Eq)]
enum Over {
    /// The backend has none to offer.
    NotOffered,
    /// It was open, and has ended.
    Ended,
    /// It could not be opened.
    Failed,
    /// Something else is to be listened for.
    Changed,
}

impl Shared {
    /// Listens to what the backend says in this session outside of calls, if it may have anything to say.
    pub(super) fn listen(self: &Arc<Self>, session: &Arc<Session>) {
        if session.stream().is_some() {
            // Everything comes on it anyway.
            return;
        }
        let is_asked = matches!(self.outlet, Outlet::Client { .. });
        if !is_asked && !session.info.may_tell() {
            return;
        }
        let ear = Ear {
            shared: Arc::clone(self),
            session: Arc::clone(session),
            last_event: None,
            retry: None,
        };
        tokio::spawn(async move {
            let session = Arc::clone(&ear.session);
            tokio::select! {
                () = session.ended() => {}
                () = ear.listen() => {}
            }
        });
    }
}

impl Ear {
    async fn listen(mut self) {
        let mut pause = PAUSE;
        let mut was_open = false;
        loop {
            let begun = Instant::now();
            let over = if self.session.is_modern() {
                self.hear_subscription(was_open).await
            } else {
                self.hear_stream(was_open).await
            };
            match over {
                Over::NotOffered => return,
                Over::Changed => continue,
                Over::Ended => was_open = true,
                Over::Failed => {}
            }
            if begun.elapsed() > LONGEST_PAUSE {
                pause = PAUSE;
            }
            sleep(self.retry.take().unwrap_or(pause)).await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// The GET stream (MCP 2025-11-25, basic/transports, listening for messages from the server).
    async fn hear_stream(&mut self, is_again: bool) -> Over {
        let endpoint = self.shared.pool.endpoint();
        let request = get(endpoint, Some(&self.session), self.last_event.as_deref());
        let Some((head, lease)) = self.begin(&request).await else {
            return Over::Failed;
        };
        if !is_begun(&head) {
            return if is_none_there(head.status) {
                Over::NotOffered
            } else {
                self.put_off(&head)
            };
        }
        if is_again && self.last_event.is_none() {
            self.may_have_missed();
        }
        self.hear(lease, |_, _| ()).await
    }

    /// One subscription for everything that the backend tells of (MCP 2026-07-28, basic/patterns/subscriptions).
    async fn hear_subscription(&mut self, is_again: bool) -> Over {
        let mut wanted = self.shared.watched.wanted();
        let now = wanted.borrow_and_update().clone();
        let serial = self.shared.serials.next().to_string();
        let message = listening::subscription(&self.session.info, &now);
        let mirrored = mirrored(&message, &[]);
        let mut edit = wire::outgoing(&message, &serial);
        let says = Says {
            session: Some(&self.session),
            mirrored: &mirrored,
            ..Says::default()
        };
        let request = post(self.shared.pool.endpoint(), says, edit.pieces());
        let Some((head, lease)) = self.begin(&request).await else {
            return Over::Failed;
        };
        if !is_begun(&head) {
            if is_for_now(head.status) {
                return self.put_off(&head);
            }
            // It may agree to another set.
            self.shared.watched.answer(now.version, false);
            let _ = wanted.changed().await;
            return Over::Changed;
        }
        if is_again {
            self.may_have_missed();
        }
        let shared = Arc::clone(&self.shared);
        let session = Arc::clone(&self.session);
        let agreed = |_: &mut Self, message: &Message| {
            if message.method() == Some(listening::ACKNOWLEDGED) {
                shared.watched.answer(now.version, true);
                session.tells_of(listening::agreed(message));
            }
        };
        let over = tokio::select! {
            over = self.hear(lease, agreed) => over,
            _ = wanted.changed() => Over::Changed,
        };
        session.tells_of(0);
        over
    }

    /// Opens a stream; nothing if the backend does not begin it.
    async fn begin(&self, request: &Outgoing<'_>) -> Option<(Head, Lease)> {
        let begun = timeout(BEGIN_TIMEOUT, self.shared.pool.send(request)).await;
        begun.ok()?.ok()
    }

    /// There is no stream behind `head` at the moment.
    fn put_off(&mut self, head: &Head) -> Over {
        let asked = head.retry_after;
        self.retry = asked.map(|pause| pause.min(LONGEST_RETRY_AFTER));
        Over::Failed
    }

    async fn hear(&mut self, mut lease: Lease, before: impl Fn(&mut Self, &Message)) -> Over {
        let mut events = self.shared.bound.events();
        while let Ok(Some(piece)) = lease.piece().await {
            events.push(&piece);
            for event in events.by_ref() {
                let heard = event.inspect_err(|too_large| self.shared.bound.lost(too_large));
                if let Some(message) = heard.ok().and_then(|event| self.message(event)) {
                    before(self, &message);
                    self.heard(message);
                }
            }
        }
        Over::Ended
    }

    fn message(&mut self, event: SseEvent) -> Option<Message> {
        self.last_event = event.id.or(self.last_event.take());
        self.retry = event
            .retry
            .map(|pause| pause.min(LONGEST_PAUSE))
            .or(self.retry);
        let is_message = event.event.is_none_or(|event| &*event == "message");
        let data = event.data;
        (is_message && !data.is_empty())
            .then(|| Message::parse(data).ok())
            .flatten()
    }

    fn heard(&self, message: Message) {
        match message.kind() {
            Kind::Request => self.shared.asked(&self.session, None, message),
            Kind::Notification if self.session.is_modern() => {
                if let Some(notice) = listening::untagged(message) {
                    self.shared.outlet.say(notice);
                }
            }
            Kind::Notification => self.shared.say(&self.session, None, message),
            Kind::Response => {}
        }
    }

    /// Lists may have changed while nobody listened.
    fn may_have_missed(&self) {
        for notice in self.session.info.changes() {
            self.shared.outlet.say(notice);
        }
    }
}

fn is_begun(head: &Head) -> bool {
    head.status == StatusCode::OK && head.is_stream
}

/// Whether the answer to a GET says that there is no stream and will be none. Anything else may be another answer later.
fn is_none_there(status: StatusCode) -> bool {
    let says_so = matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
    );
    says_so || !(status.is_client_error() || status.is_server_error())
}

/// Whether the refusal of a subscription is about the moment, and not about what was asked for.
fn is_for_now(status: StatusCode) -> bool {
    let is_busy = matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS
    );
    is_busy || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}
