//! What a backend says outside of calls on the GET stream of a legacy session.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use tokio::time::{Instant, sleep, timeout};

use super::{
    exchange::{Outgoing, get},
    head::Head,
    pool::Lease,
    session::Session,
    subscription::Subscriptions,
    transport::Shared,
};
use crate::{
    backend::transport::Outlet,
    protocol::{Kind, Message, SseEvent},
};

/// The pause before a stream that has ended is opened again; it doubles up to [`LONGEST_PAUSE`] while that fails.
pub(super) const PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is kept to.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);
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
        let (shared, session) = (Arc::clone(self), Arc::clone(session));
        let outlet = self.outlet.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = session.ended() => outlet.over(),
                () = shared.hear_outside(&session) => {}
            }
        });
    }

    async fn hear_outside(self: Arc<Self>, session: &Arc<Session>) {
        let session = Arc::clone(session);
        if session.is_modern() {
            return Subscriptions::new(self, session).listen().await;
        }
        let ear = Ear {
            shared: self,
            session,
            last_event: None,
            retry: None,
        };
        ear.listen().await;
    }
}

impl Ear {
    async fn listen(mut self) {
        let mut pause = PAUSE;
        let mut was_open = false;
        loop {
            let begun = Instant::now();
            match self.hear_stream(was_open).await {
                Over::NotOffered => return,
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
        let Some((head, lease)) = begin(&self.shared, &request).await else {
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
        self.hear(lease).await
    }

    /// There is no stream behind `head` at the moment.
    fn put_off(&mut self, head: &Head) -> Over {
        let asked = head.retry_after;
        self.retry = asked.map(|pause| pause.min(LONGEST_RETRY_AFTER));
        Over::Failed
    }

    async fn hear(&mut self, mut lease: Lease) -> Over {
        let mut events = self.shared.bound.events();
        while let Ok(Some(piece)) = lease.piece().await {
            events.push(&piece);
            for event in events.by_ref() {
                let heard = event.inspect_err(|too_large| self.shared.bound.lost(too_large));
                if let Some(message) = heard.ok().and_then(|event| self.message(event)) {
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

/// Opens a stream; nothing if the backend does not begin it.
pub(super) async fn begin(shared: &Shared, request: &Outgoing<'_>) -> Option<(Head, Lease)> {
    let begun = timeout(BEGIN_TIMEOUT, shared.pool.send(request)).await;
    begun.ok()?.ok()
}

pub(super) fn is_begun(head: &Head) -> bool {
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
