//! The streams of a session: the one of what belongs to no call, and one of each call that had something to hear before its
//! answer. Each event has an id, by which a client whose connection broke takes its stream up again.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use uuid::Uuid;

use super::{
    Session,
    kept::{Kept, Turn},
};
use crate::{
    gateway::{
        inbound::{EventStream, GoneOn, Sent},
        stream::step_by_step,
    },
    lockfree::Latest,
};

/// The stream of what belongs to no call, which is begun when somebody listens for the first time: before that nothing is kept.
const OUTSIDE: u64 = 0;

pub(super) struct Outbox {
    /// Apart, so that neither takes room of the other.
    outside: Kept,
    calls: Kept,
    /// Calls that had a stream so far.
    begun: Mutex<u64>,
    /// Tells ids of this session from those of others.
    mark: OnceLock<u32>,
    ended: Latest,
}

/// Where a client wants to go on.
struct Place {
    stream: u64,
    after: u64,
}

impl Outbox {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            outside: Kept::new(capacity),
            calls: Kept::new(capacity),
            begun: Mutex::default(),
            mark: OnceLock::new(),
            ended: Latest::new(0),
        }
    }

    /// Queues what belongs to no call.
    pub(super) fn push(&self, message: Bytes) {
        self.outside.push(OUTSIDE, message);
    }

    /// Whether the stream of what belongs to no call is open.
    pub(super) fn is_listened(&self) -> bool {
        self.outside.is_read(OUTSIDE)
    }

    /// Ends that stream, and every later one at once.
    pub(super) fn end(&self) {
        self.ended.set(1);
        self.outside.end(OUTSIDE);
    }

    const fn of(&self, stream: u64) -> &Kept {
        if stream == OUTSIDE {
            &self.outside
        } else {
            &self.calls
        }
    }

    fn next_number(&self) -> u64 {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        *begun += 1;
        *begun
    }

    fn mark(&self) -> u32 {
        *self.mark.get_or_init(|| Uuid::new_v4().as_fields().0)
    }

    fn id(&self, stream: u64, number: u64) -> Box<str> {
        format!("{:08x}-{stream}-{number}", self.mark()).into()
    }

    /// The place that an id names. One of another session names none of this; the stream of a call is known as such.
    fn place(&self, id: &str) -> Option<Place> {
        let mut parts = id.split('-');
        let (mark, stream, after) = (parts.next()?, parts.next()?, parts.next()?);
        let is_ours = u32::from_str_radix(mark, 16).ok()? == self.mark() && parts.next().is_none();
        let (stream, after) = (stream.parse().ok()?, after.parse().ok()?);
        (is_ours || stream != OUTSIDE).then_some(Place {
            stream: if is_ours { stream } else { u64::MAX },
            after,
        })
    }
}

/// Opens the stream of what belongs to no call where its last reader was. The newest stream gets the messages; an older one
/// ends.
pub(super) fn listen(session: Arc<Session>) -> Box<dyn EventStream> {
    let outbox = session.outbox();
    outbox.outside.begin(OUTSIDE);
    if outbox.ended.value() != 0 {
        outbox.end();
    }
    let turn = outbox.outside.read(OUTSIDE, None);
    turn.map_or_else(nothing, |turn| reading(session, OUTSIDE, turn))
}

/// Goes on with a stream after the event of this id; none where it was that of a call and is not kept. An id that names nothing
/// of this session begins as if there were none.
pub(super) fn resume(session: Arc<Session>, id: &str) -> Option<GoneOn> {
    let outbox = session.outbox();
    let place = outbox.place(id);
    let read = |place: &Place| {
        outbox
            .of(place.stream)
            .read(place.stream, Some(place.after))
    };
    match (place.as_ref().and_then(read), place) {
        (Some(turn), Some(Place { stream, .. })) => Some(GoneOn {
            has_gap: turn.has_gap,
            of_call: stream != OUTSIDE,
            stream: reading(session, stream, turn),
        }),
        (None, Some(Place { stream, .. })) if stream != OUTSIDE => None,
        _ => Some(GoneOn {
            has_gap: true,
            ..listen(session).into()
        }),
    }
}

/// The stream of one call. Dropped, it is over.
pub(in crate::gateway) struct CallStream {
    session: Arc<Session>,
    number: u64,
}

impl CallStream {
    /// Begins it, and gives what its client reads.
    pub(in crate::gateway) fn begin(session: Arc<Session>) -> (Self, Box<dyn EventStream>) {
        let outbox = session.outbox();
        let number = outbox.next_number();
        outbox.calls.begin(number);
        let turn = outbox.calls.read(number, None);
        let read = turn.map_or_else(nothing, |turn| reading(Arc::clone(&session), number, turn));
        (Self { session, number }, read)
    }

    pub(in crate::gateway) fn say(&self, message: Bytes) {
        self.session.outbox().calls.push(self.number, message);
    }

    /// Resolves when its client has been away for so long that nothing more is asked of it.
    pub(in crate::gateway) async fn left_alone(&self) {
        self.session.outbox().calls.left_alone(self.number).await;
    }
}

impl Drop for CallStream {
    fn drop(&mut self) {
        self.session.outbox().calls.end(self.number);
    }
}

fn reading(session: Arc<Session>, stream: u64, turn: Turn) -> Box<dyn EventStream> {
    let reader = Reader {
        session,
        stream,
        turn,
    };
    step_by_step(reader, |reader| async move {
        let outbox = reader.session.outbox();
        let kept = outbox.of(reader.stream);
        let (number, message) = kept.next(reader.stream, &reader.turn).await?;
        let id = Some(outbox.id(reader.stream, number));
        Some((Sent { message, id }, reader))
    })
}

/// A stream on which nothing comes.
fn nothing() -> Box<dyn EventStream> {
    struct Nothing;
    impl EventStream for Nothing {
        fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Sent>> {
            Poll::Ready(None)
        }
    }
    Box::new(Nothing)
}

struct Reader {
    session: Arc<Session>,
    stream: u64,
    turn: Turn,
}

impl Drop for Reader {
    fn drop(&mut self) {
        let kept = self.session.outbox().of(self.stream);
        kept.leave(self.stream, &self.turn);
    }
}
