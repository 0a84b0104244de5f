//! The subscription in which a modern backend says what belongs to no call (MCP 2026-07-28, basic/patterns/subscriptions).
//!
//! There is one, and at times two: when something else is to be heard of, the next is opened beside the one that is heard, and
//! takes its place once it is acknowledged. Until then, and for a moment longer, both are heard, so that nothing is missed; what
//! both say is told once.

use std::{collections::BTreeSet, future::pending, mem, sync::Arc, time::Duration};

use http::StatusCode;
use tokio::{
    sync::mpsc,
    task::AbortHandle,
    time::{Instant, sleep_until},
};

use super::{
    ear::{LONGEST_PAUSE, LONGEST_RETRY_AFTER, PAUSE, begin, is_begun},
    era::mirrored,
    exchange::{Says, post},
    head::Head,
    session::Session,
    transport::Shared,
    twice::{Twice, Voice},
};
use crate::{
    backend::transport::{listening, watched::Wanted, wire},
    protocol::{Kind, Message, SseEvent},
};

/// How long the earlier of two is heard once the next is acknowledged: what it said before may still be on its way.
const MOMENT: Duration = Duration::from_millis(250);
/// How long one that has begun may take to be acknowledged before it is taken as it is.
const AGREE: Duration = Duration::from_secs(5);
/// What is read of a subscription before it is looked at.
const AHEAD: usize = 16;

/// Listens in subscriptions for as long as this lives.
pub(super) struct Subscriptions {
    shared: Arc<Shared>,
    session: Arc<Session>,
    now: Option<Heard>,
    next: Option<Heard>,
    twice: Twice,
    /// When the next takes the place of the one that is heard.
    turn: Option<Instant>,
    /// When another is opened.
    again: Option<Instant>,
    pause: Duration,
    /// What the backend asks to be waited before that.
    retry: Option<Duration>,
    /// The resources that it refused to tell of, all together.
    refused: Option<BTreeSet<Box<str>>>,
    /// Whether anything may have been said while nobody listened.
    has_missed: bool,
}

/// One subscription. Dropped, it is closed.
struct Heard {
    wanted: Wanted,
    said: mpsc::Receiver<Said>,
    reading: AbortHandle,
    began: Option<Instant>,
    is_agreed: bool,
}

/// What comes of one subscription.
enum Said {
    Began,
    Event(SseEvent),
    Over(Over),
}

/// Why it is over.
#[derive(Clone, Copy)]
enum Over {
    /// What was asked for is refused.
    Refused,
    /// It could not be opened, or has ended; how long the backend asks to be left alone.
    Ended(Option<Duration>),
}

impl Subscriptions {
    pub(super) fn new(shared: Arc<Shared>, session: Arc<Session>) -> Self {
        Self {
            shared,
            session,
            now: None,
            next: None,
            twice: Twice::default(),
            turn: None,
            again: None,
            pause: PAUSE,
            retry: None,
            refused: None,
            has_missed: false,
        }
    }

    pub(super) async fn listen(mut self) {
        let mut wanted = self.shared.watched.wanted();
        loop {
            let set = wanted.borrow_and_update().clone();
            self.follow(set);
            tokio::select! {
                biased;
                said = next_of(&mut self.now) => self.heard(Voice::Now, said),
                said = next_of(&mut self.next) => self.heard(Voice::Next, said),
                () = at(self.turn) => self.take_turn(),
                () = at(self.again) => self.again = None,
                _ = wanted.changed() => {}
            }
        }
    }

    /// Opens a subscription to this set, unless there is one, or one is on its way.
    fn follow(&mut self, set: Wanted) {
        if self.next.is_some() || self.again.is_some() {
            return;
        }
        match &mut self.now {
            Some(now) if now.wanted.uris == set.uris => {
                now.wanted.version = set.version;
                now.answer_if_agreed(&self.shared);
            }
            _ if self.refused.as_ref() == Some(&set.uris) => {
                self.shared.watched.answer(set.version, false);
            }
            Some(_) => self.next = Some(self.open(set)),
            None => self.now = Some(self.open(set)),
        }
    }

    fn open(&self, wanted: Wanted) -> Heard {
        let (sender, said) = mpsc::channel(AHEAD);
        let (shared, session, set) = (
            Arc::clone(&self.shared),
            Arc::clone(&self.session),
            wanted.clone(),
        );
        let reading = tokio::spawn(async move {
            let over = read(&shared, &session, &set, &sender).await;
            let _ = sender.send(Said::Over(over)).await;
        });
        Heard {
            wanted,
            said,
            reading: reading.abort_handle(),
            began: None,
            is_agreed: false,
        }
    }

    fn heard(&mut self, voice: Voice, said: Said) {
        match said {
            Said::Began => self.began(voice),
            Said::Event(event) => {
                self.retry = event.retry.or(self.retry);
                if let Some(message) = message_of(event) {
                    self.said(voice, message);
                }
            }
            Said::Over(over) => self.over(voice, over),
        }
    }

    fn began(&mut self, voice: Voice) {
        if let Some(heard) = self.voice(voice) {
            heard.began = Some(Instant::now());
        }
        match voice {
            Voice::Now => self.catch_up(),
            Voice::Next => self.turn = Some(Instant::now() + AGREE),
        }
    }

    fn said(&mut self, voice: Voice, message: Message) {
        match message.kind() {
            Kind::Request => self.shared.asked(&self.session, None, message),
            Kind::Notification if message.method() == Some(listening::ACKNOWLEDGED) => {
                self.acknowledged(voice, &message);
            }
            Kind::Notification => {
                let Some(notice) = listening::untagged(message) else {
                    return;
                };
                if self.next.is_none() || self.twice.is_new(voice, notice.bytes()) {
                    self.shared.outlet.say(notice);
                }
            }
            Kind::Response => {}
        }
    }

    fn acknowledged(&mut self, voice: Voice, message: &Message) {
        let shared = Arc::clone(&self.shared);
        if let Some(heard) = self.voice(voice) {
            heard.is_agreed = true;
            heard.answer_if_agreed(&shared);
        }
        self.session.tells_of(listening::agreed(message));
        self.refused = None;
        if voice == Voice::Next {
            self.turn = Some(Instant::now() + MOMENT);
        }
    }

    /// The next is heard alone from now on.
    fn take_turn(&mut self) {
        self.now = self.next.take();
        self.twice = Twice::default();
        self.turn = None;
        if self.now.as_ref().is_some_and(Heard::has_begun) {
            self.catch_up();
        }
    }

    fn over(&mut self, voice: Voice, over: Over) {
        let Some(gone) = self.voice_slot(voice).take() else {
            return;
        };
        if gone
            .began
            .is_some_and(|began| began.elapsed() > LONGEST_PAUSE)
        {
            self.pause = PAUSE;
        }
        match over {
            Over::Refused => {
                self.shared.watched.answer(gone.wanted.version, false);
                self.refused = Some(gone.wanted.uris.clone());
            }
            Over::Ended(asked) => {
                let pause = asked.or(self.retry.take().map(|pause| pause.min(LONGEST_PAUSE)));
                self.again = Some(Instant::now() + pause.unwrap_or(self.pause));
                self.pause = (2 * self.pause).min(LONGEST_PAUSE);
            }
        }
        if voice == Voice::Now {
            self.lost(&gone);
        } else {
            self.twice = Twice::default();
            self.turn = None;
        }
    }

    /// Nobody is heard but the next, if there is one.
    fn lost(&mut self, gone: &Heard) {
        let is_followed = self.next.as_ref().is_some_and(|next| next.is_agreed);
        if !is_followed {
            self.has_missed |= gone.has_begun();
            self.session.tells_of(0);
        }
        if self.next.is_some() {
            self.again = None;
            self.take_turn();
        }
    }

    /// Lists may have changed while nobody listened.
    fn catch_up(&mut self) {
        if mem::take(&mut self.has_missed) {
            for notice in self.session.info.changes() {
                self.shared.outlet.say(notice);
            }
        }
    }

    fn voice(&mut self, voice: Voice) -> Option<&mut Heard> {
        self.voice_slot(voice).as_mut()
    }

    fn voice_slot(&mut self, voice: Voice) -> &mut Option<Heard> {
        match voice {
            Voice::Now => &mut self.now,
            Voice::Next => &mut self.next,
        }
    }
}

impl Heard {
    fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    fn answer_if_agreed(&self, shared: &Shared) {
        if self.is_agreed {
            shared.watched.answer(self.wanted.version, true);
        }
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// Opens a subscription and reads it to its end.
async fn read(
    shared: &Arc<Shared>,
    session: &Session,
    wanted: &Wanted,
    said: &mpsc::Sender<Said>,
) -> Over {
    let serial = shared.serials.next().to_string();
    let message = listening::subscription(&session.info, wanted);
    let mirrored = mirrored(&message, &[]);
    let mut edit = wire::outgoing(&message, &serial);
    let says = Says {
        session: Some(session),
        mirrored: &mirrored,
        ..Says::default()
    };
    let request = post(shared.pool.endpoint(), says, edit.pieces());
    let Some((head, mut lease)) = begin(shared, &request).await else {
        return Over::Ended(None);
    };
    if !is_begun(&head) {
        return not_begun(&head);
    }
    let _ = said.send(Said::Began).await;
    let mut events = shared.bound.events();
    while let Ok(Some(piece)) = lease.piece().await {
        events.push(&piece);
        for event in events.by_ref() {
            match event {
                Ok(event) => drop(said.send(Said::Event(event)).await),
                Err(too_large) => shared.bound.lost(&too_large),
            }
        }
    }
    Over::Ended(None)
}

fn not_begun(head: &Head) -> Over {
    if is_for_now(head.status) {
        Over::Ended(head.retry_after.map(|pause| pause.min(LONGEST_RETRY_AFTER)))
    } else {
        Over::Refused
    }
}

/// Whether the refusal of a subscription is about the moment, and not about what was asked for.
fn is_for_now(status: StatusCode) -> bool {
    let is_busy = matches!(
        status,
        StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS
    );
    is_busy || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

fn message_of(event: SseEvent) -> Option<Message> {
    let is_message = event.event.is_none_or(|event| &*event == "message");
    let is_said = is_message && !event.data.is_empty();
    is_said.then(|| Message::parse(event.data).ok()).flatten()
}

/// What comes next of a subscription, if there is one.
async fn next_of(heard: &mut Option<Heard>) -> Said {
    match heard {
        Some(heard) => {
            let said = heard.said.recv().await;
            said.unwrap_or(Said::Over(Over::Ended(None)))
        }
        None => pending().await,
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => pending().await,
    }
}
