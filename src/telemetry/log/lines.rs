//! Where do lines wait, in what order, and which are lost? In one bounded buffer, in the order in which they came.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long the first line of a batch waits for others, unless it is urgent.
pub(super) const GATHER: Duration = Duration::from_millis(5);
/// Bytes that may wait; further lines are lost and counted. A reader that sleeps for a second at 2,000 lines a second is fine.
const ROOM: usize = 1 << 20;
/// Beyond that, for warnings and errors alone: a flood of others does not push them out.
const ROOM_FOR_URGENT: usize = ROOM + (1 << 18);
/// A batch that is as large as this is not gathered any longer.
const LARGE: usize = 1 << 16;

/// Takes bytes to where the log goes. It may block; who cannot write loses what it was given.
pub(super) type Ink = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Lines on their way. A short lock is all that a thread that logs meets of the others: as long as it takes to copy a line.
pub(in crate::telemetry) struct Lines {
    waiting: Mutex<Waiting>,
    changed: Condvar,
    ink: Ink,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    lost: u64,
    /// Somebody is to be told now.
    urgent: bool,
    /// A thread takes them; without it each is written by who logs it.
    is_batched: bool,
}

/// What is to be written at once.
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    /// Lines that found no room since the last batch.
    pub(super) lost: u64,
    /// Nothing more is to come.
    pub(super) is_last: bool,
}

impl Lines {
    /// Lines that are written by who logs them, until a thread takes over.
    pub(in crate::telemetry) fn new(ink: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self {
            waiting: Mutex::default(),
            changed: Condvar::new(),
            ink: Box::new(ink),
        }
    }

    /// One line with its line break. An urgent one does not wait for others.
    pub(in crate::telemetry) fn put(&self, line: &[u8], urgent: bool) {
        let mut waiting = self.lock();
        if !waiting.is_batched {
            return self.write(line);
        }
        let room = if urgent { ROOM_FOR_URGENT } else { ROOM };
        if waiting.bytes.len() + line.len() > room {
            waiting.lost += 1;
            return;
        }
        let is_first = waiting.bytes.is_empty();
        let was_urgent = waiting.urgent;
        waiting.bytes.extend_from_slice(line);
        waiting.urgent |= urgent || waiting.bytes.len() > LARGE;
        let is_news = is_first || waiting.urgent && !was_urgent;
        drop(waiting);
        if is_news {
            self.changed.notify_one();
        }
    }

    /// From now on lines wait for [`Lines::batch`], or, `false`, they do not.
    pub(super) fn batched(&self, are_batched: bool) {
        self.lock().is_batched = are_batched;
        self.changed.notify_one();
    }

    /// Waits until there is something to write, and a little for more; `spare` is an empty buffer to be filled next.
    pub(super) fn batch(&self, spare: Vec<u8>) -> Batch {
        let is_idle = |waiting: &mut Waiting| waiting.is_batched && waiting.bytes.is_empty();
        let waiting = self.changed.wait_while(self.lock(), is_idle);
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let may_wait = |waiting: &mut Waiting| waiting.is_batched && !waiting.urgent;
        let gathered = self.changed.wait_timeout_while(waiting, GATHER, may_wait);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        waiting.urgent = false;
        Batch {
            bytes: std::mem::replace(&mut waiting.bytes, spare),
            lost: std::mem::take(&mut waiting.lost),
            is_last: !waiting.is_batched,
        }
    }

    /// Writes past the buffer.
    pub(super) fn write(&self, bytes: &[u8]) {
        (self.ink)(bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.lock();
        f.debug_struct("Lines")
            .field("waiting", &waiting.bytes.len())
            .field("lost", &waiting.lost)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn paper() -> (Arc<Lines>, Arc<Mutex<Vec<u8>>>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let ink = Arc::clone(&written);
        let lines = Lines::new(move |bytes: &[u8]| ink.lock().unwrap().extend_from_slice(bytes));
        (Arc::new(lines), written)
    }

    #[test]
    fn without_a_thread_a_line_is_written_by_who_logs_it() {
        let (lines, written) = paper();
        lines.put(b"one\n", false);
        assert_eq!(*written.lock().unwrap(), b"one\n");
    }

    #[test]
    fn lines_wait_in_their_order_and_one_batch_takes_all() {
        let (lines, written) = paper();
        lines.batched(true);
        lines.put(b"one\n", false);
        lines.put(b"two\n", true);
        lines.put(b"three\n", false);
        assert!(written.lock().unwrap().is_empty());
        let batch = lines.batch(Vec::new());
        assert_eq!(batch.bytes, b"one\ntwo\nthree\n");
        assert_eq!((batch.lost, batch.is_last), (0, false));
    }

    #[test]
    fn what_finds_no_room_is_counted_and_a_warning_finds_some() {
        let (lines, _) = paper();
        lines.batched(true);
        let line = vec![b'x'; ROOM / 4];
        for _ in 0..6 {
            lines.put(&line, false);
        }
        lines.put(b"warning\n", true);
        let batch = lines.batch(Vec::new());
        assert_eq!(batch.bytes.len(), ROOM + 8);
        assert!(batch.bytes.ends_with(b"warning\n"));
        assert_eq!(batch.lost, 2);
        lines.put(b"later\n", true);
        assert_eq!(lines.batch(Vec::new()).lost, 0);
    }

    #[test]
    fn the_last_batch_says_so_and_takes_what_there_is() {
        let (lines, written) = paper();
        lines.batched(true);
        lines.put(b"last\n", false);
        lines.batched(false);
        let batch = lines.batch(Vec::new());
        assert_eq!(
            (batch.bytes.as_slice(), batch.is_last),
            (&b"last\n"[..], true)
        );
        lines.put(b"later\n", false);
        assert_eq!(*written.lock().unwrap(), b"later\n");
    }
}
