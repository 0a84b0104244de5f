//! What a backend says outside of calls: on the GET stream of a legacy session, or in the one subscription of a modern one.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use tokio::time::{Instant, sleep};

use super::{
    era::mirrored,
    exchange::{Says, get, post},
    pool::Lease,
    session::Session,
    transport::Shared,
};
use crate::{
    backend::transport::{Outlet, listening, wire},
    protocol::{Kind, Message, SseDecoder, SseEvent},
};

/// The pause before a stream that has ended is opened again; it doubles up to [`LONGEST_PAUSE`] while that fails.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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
            sleep(
                self.retry
                    .take()
                    .map_or(pause, |retry| retry.min(LONGEST_PAUSE)),
            )
            .await;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    /// The GET stream (MCP 2025-11-25, basic/transports, listening for messages from the server).
    async fn hear_stream(&mut self, is_again: bool) -> Over {
        let endpoint = self.shared.pool.endpoint();
        let request = get(endpoint, Some(&self.session), self.last_event.as_deref());
        let Ok((head, lease)) = self.shared.pool.send(&request).await else {
            return Over::Failed;
        };
        match head.status {
            StatusCode::OK if head.is_stream => {}
            status if status.is_server_error() => return Over::Failed,
            _ => return Over::NotOffered,
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
        let Ok((head, lease)) = self.shared.pool.send(&request).await else {
            return Over::Failed;
        };
        match head.status {
            StatusCode::OK if head.is_stream => {}
            status if status.is_server_error() => return Over::Failed,
            // It may agree to another set.
            _ => {
                self.shared.watched.answer(now.version, false);
                let _ = wanted.changed().await;
                return Over::Changed;
            }
        }
        if is_again {
            self.may_have_missed();
        }
        let shared = Arc::clone(&self.shared);
        let agreed = move |_: &mut Self, message: &Message| {
            if message.method() == Some(listening::ACKNOWLEDGED) {
                shared.watched.answer(now.version, true);
            }
        };
        tokio::select! {
            over = self.hear(lease, agreed) => over,
            _ = wanted.changed() => Over::Changed,
        }
    }

    async fn hear(&mut self, mut lease: Lease, before: impl Fn(&mut Self, &Message)) -> Over {
        let mut events = SseDecoder::new(self.shared.backend.max_message_size);
        while let Ok(Some(piece)) = lease.piece().await {
            events.push(&piece);
            for event in events.by_ref().flatten() {
                if let Some(message) = self.message(event) {
                    before(self, &message);
                    self.heard(message);
                }
            }
        }
        Over::Ended
    }

    fn message(&mut self, event: SseEvent) -> Option<Message> {
        self.last_event = event.id.or(self.last_event.take());
        self.retry = event.retry.or(self.retry);
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
            Kind::Notification => self.shared.outlet.say(message),
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
