//! What was said on the streams of a session, kept for a while: a client whose connection broke takes a stream up where it
//! was (MCP 2025-11-25, basic/transports, Resumability and Redelivery).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    future::pending,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Bytes that are kept, but for a last message that is longer than that by itself.
const MOST_BYTES: usize = 256 * 1024;
/// How long a client whose connection broke may take to come back before nothing more is asked of it. The official TypeScript
/// and Python clients come back after a second.
pub(super) const AWAY: Duration = Duration::from_secs(5);

/// The messages of a few streams, in the order in which each was said; the oldest make room. Locked when something is said on
/// a stream, never by a call that is answered at once.
pub(super) struct Kept {
    streams: Mutex<BTreeMap<u64, Stream>>,
    most: usize,
}

/// One stream. Its messages are numbered from 1.
#[derive(Default)]
struct Stream {
    kept: VecDeque<Bytes>,
    /// The number of the newest message.
    last: u64,
    /// The number of the last that a reader has taken.
    taken: u64,
    /// Readers so far: only the newest gets messages, and an older one ends.
    turn: u64,
    is_read: bool,
    /// When its reader went away.
    left: Option<Instant>,
    is_over: bool,
    news: Arc<Notify>,
}

/// A reader's place.
pub(super) struct Turn {
    number: u64,
    news: Arc<Notify>,
    /// Something that the reader has not got is not kept any more.
    pub(super) has_gap: bool,
}

impl Kept {
    /// Keeps up to `most` messages (0 is taken as 1).
    pub(super) fn new(most: usize) -> Self {
        Self {
            streams: Mutex::default(),
            most: most.max(1),
        }
    }

    /// Begins a stream, if there is none with this number.
    pub(super) fn begin(&self, stream: u64) {
        self.streams().entry(stream).or_default();
    }

    /// Says something on a stream; on one that was never begun, nobody hears it.
    pub(super) fn push(&self, stream: u64, message: Bytes) {
        let mut streams = self.streams();
        let Some(said) = streams.get_mut(&stream) else {
            return;
        };
        said.last += 1;
        said.kept.push_back(message);
        said.news.notify_waiters();
        while is_too_much(&streams, self.most) && drop_oldest(&mut streams) {}
    }

    /// Nothing more is said on a stream.
    pub(super) fn end(&self, stream: u64) {
        let mut streams = self.streams();
        if let Some(said) = streams.get_mut(&stream) {
            said.is_over = true;
            said.news.notify_waiters();
        }
    }

    /// Reads a stream after the message of this number, or where its last reader was. None where it is not kept.
    pub(super) fn read(&self, stream: u64, after: Option<u64>) -> Option<Turn> {
        let mut streams = self.streams();
        let said = streams.get_mut(&stream)?;
        let after = after.filter(|after| *after <= said.last);
        said.taken = after.unwrap_or(said.taken);
        said.turn += 1;
        said.is_read = true;
        said.news.notify_waiters();
        Some(Turn {
            number: said.turn,
            news: Arc::clone(&said.news),
            has_gap: said.taken < said.before_first(),
        })
    }

    /// The next message with its number; none at the end of the stream, or once somebody else reads it.
    pub(super) async fn next(&self, stream: u64, turn: &Turn) -> Option<(u64, Bytes)> {
        loop {
            // Made before the look, so that a wake-up in between is not lost.
            let woken = turn.news.notified();
            if let Poll::Ready(taken) = self.take(stream, turn.number) {
                return taken;
            }
            woken.await;
        }
    }

    fn take(&self, stream: u64, turn: u64) -> Poll<Option<(u64, Bytes)>> {
        let mut streams = self.streams();
        let Some(said) = streams.get_mut(&stream).filter(|said| said.turn == turn) else {
            return Poll::Ready(None);
        };
        let before_first = said.before_first();
        if said.taken < before_first {
            tracing::debug!("A slow stream lost its oldest messages");
        }
        said.taken = said.taken.max(before_first);
        let place = usize::try_from(said.taken - before_first).unwrap_or(usize::MAX);
        match said.kept.get(place) {
            Some(message) => {
                said.taken += 1;
                Poll::Ready(Some((said.taken, message.clone())))
            }
            None if said.is_over => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// A reader has gone; what is said meanwhile waits for the next one.
    pub(super) fn leave(&self, stream: u64, turn: &Turn) {
        let mut streams = self.streams();
        let said = streams.get_mut(&stream);
        if let Some(said) = said.filter(|said| said.turn == turn.number) {
            said.is_read = false;
            said.left = Some(Instant::now());
            said.news.notify_waiters();
        }
    }

    /// Whether anybody reads a stream.
    pub(super) fn is_read(&self, stream: u64) -> bool {
        self.streams()
            .get(&stream)
            .is_some_and(|said| said.is_read && !said.is_over)
    }

    /// Resolves when nobody has read a stream for [`AWAY`].
    pub(super) async fn left_alone(&self, stream: u64) {
        let Some(news) = self.news(stream) else {
            return pending().await;
        };
        loop {
            // Made before the look, so that a wake-up in between is not lost.
            let woken = news.notified();
            let Some(left) = self.left(stream) else {
                woken.await;
                continue;
            };
            sleep_until(left + AWAY).await;
            if self.left(stream) == Some(left) {
                return;
            }
        }
    }

    fn news(&self, stream: u64) -> Option<Arc<Notify>> {
        let streams = self.streams();
        streams.get(&stream).map(|said| Arc::clone(&said.news))
    }

    /// Since when nobody reads a stream.
    fn left(&self, stream: u64) -> Option<Instant> {
        let streams = self.streams();
        let said = streams.get(&stream)?;
        said.left.filter(|_| !said.is_read)
    }

    fn streams(&self) -> MutexGuard<'_, BTreeMap<u64, Stream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// The number before that of the oldest message that is kept.
    fn before_first(&self) -> u64 {
        self.last - self.kept.len() as u64
    }
}

fn is_too_much(streams: &BTreeMap<u64, Stream>, most: usize) -> bool {
    let messages = || streams.values().flat_map(|said| &said.kept);
    let count = messages().count();
    count > most || (count > 1 && messages().map(Bytes::len).sum::<usize>() > MOST_BYTES)
}

/// Drops the oldest message of the stream that has most, so that a talkative one takes no room of others; of streams with as
/// many it is the oldest.
fn drop_oldest(streams: &mut BTreeMap<u64, Stream>) -> bool {
    let longest = streams
        .iter_mut()
        .max_by_key(|(number, said)| (said.kept.len(), Reverse(**number)));
    let Some((&number, said)) = longest else {
        return false;
    };
    let is_dropped = said.kept.pop_front().is_some();
    if said.is_over && said.kept.is_empty() {
        streams.remove(&number);
    }
    is_dropped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(most: usize, said: &[(u64, &'static str)]) -> Kept {
        let kept = Kept::new(most);
        for (stream, message) in said {
            kept.begin(*stream);
            kept.push(*stream, Bytes::from_static(message.as_bytes()));
        }
        kept
    }

    /// What a reader gets at once.
    fn read(kept: &Kept, stream: u64, after: Option<u64>) -> Option<(bool, Vec<(u64, Bytes)>)> {
        let turn = kept.read(stream, after)?;
        let mut got = Vec::new();
        while let Poll::Ready(Some(message)) = kept.take(stream, turn.number) {
            got.push(message);
        }
        Some((turn.has_gap, got))
    }

    #[test]
    fn a_reader_gets_what_came_after_and_only_of_its_stream() {
        let kept = kept(9, &[(1, "a"), (2, "x"), (1, "b"), (1, "c")]);
        let (has_gap, got) = read(&kept, 1, Some(1)).unwrap();
        assert_eq!(
            (has_gap, got),
            (false, vec![(2, "b".into()), (3, "c".into())])
        );
        assert_eq!(read(&kept, 1, Some(3)), Some((false, Vec::new())));
        assert_eq!(
            read(&kept, 1, Some(9)),
            Some((false, Vec::new())),
            "never said"
        );
        assert_eq!(read(&kept, 3, Some(1)), None);
    }

    #[test]
    fn a_talkative_stream_makes_its_own_room_and_a_gap_is_known() {
        let kept = kept(3, &[(1, "a"), (2, "x"), (2, "y"), (2, "z"), (2, "w")]);
        assert_eq!(
            read(&kept, 1, Some(0)),
            Some((false, vec![(1, "a".into())]))
        );
        let (has_gap, got) = read(&kept, 2, Some(1)).unwrap();
        assert_eq!(
            (has_gap, got),
            (true, vec![(3, "z".into()), (4, "w".into())])
        );
    }

    #[test]
    fn a_stream_that_is_over_and_has_nothing_left_is_forgotten() {
        let kept = kept(1, &[(1, "a")]);
        kept.end(1);
        kept.begin(2);
        kept.push(2, Bytes::from(vec![b'x'; MOST_BYTES + 1]));
        assert!(kept.read(1, Some(1)).is_none());
        assert_eq!(
            read(&kept, 2, Some(0)).unwrap().1.len(),
            1,
            "alone it may be long"
        );
        kept.push(2, Bytes::from_static(b"y"));
        assert_eq!(read(&kept, 2, Some(0)), Some((true, vec![(2, "y".into())])));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_is_left_alone_once_nobody_has_come_back_in_time() {
        let kept = kept(9, &[(1, "a")]);
        let began = Instant::now();
        let first = kept.read(1, None).unwrap();
        kept.leave(1, &first);
        let back = async {
            sleep_until(began + AWAY / 2).await;
            let second = kept.read(1, None).unwrap();
            // An older reader's end says nothing.
            kept.leave(1, &first);
            sleep_until(began + AWAY * 2).await;
            kept.leave(1, &second);
        };
        tokio::join!(back, kept.left_alone(1));
        assert_eq!(began.elapsed(), AWAY * 3);
    }
}
