//! Where do lines wait, in what order, and which are lost? In one bounded queue without a lock, in the order in which they came.

use std::sync::{
    OnceLock,
    mpsc::{Receiver, SyncSender, sync_channel},
};

use crossbeam_queue::ArrayQueue;

use crate::lockfree::{Counter, Latest};

/// Lines that may wait.
const SLOTS: usize = 4_096;
/// Bytes that may wait; further lines are lost and counted. A reader that sleeps for a second at 2,000 lines a second is fine.
const ROOM: u64 = 1 << 20;
/// Beyond that, for warnings and errors alone: a flood of others does not push them out.
const ROOM_FOR_URGENT: u64 = ROOM + (1 << 18);
/// Buffers that wait for their next line, and the largest that is kept so, in bytes.
const SPARE: usize = 256;
const KEPT: usize = 4 << 10;

/// Takes bytes to where the log goes. It may block; who cannot write loses what it was given.
pub(super) type Ink = Box<dyn Fn(&[u8]) + Send + Sync>;

/// Lines on their way.
pub(in crate::telemetry) struct Lines {
    /// To the thread that writes them; without one each is written by who logs it.
    to_thread: OnceLock<SyncSender<Line>>,
    /// 1 once the thread is to write what waits, and no more.
    ended: Latest,
    /// Bytes that were put into the queue, and that were taken out of it.
    put: Counter,
    taken: Counter,
    /// Lines that found no room.
    lost: Counter,
    spare: ArrayQueue<Vec<u8>>,
    ink: Ink,
}

/// One line with its line break; an empty one stands for the end.
#[derive(Debug)]
pub(super) struct Line {
    bytes: Vec<u8>,
    urgent: bool,
}

impl Line {
    const END: Self = Self {
        bytes: Vec::new(),
        urgent: true,
    };

    /// Whether it is written without waiting for others.
    pub(super) const fn is_urgent(&self) -> bool {
        self.urgent
    }

    /// Whether what was logged before the end has been taken.
    pub(super) const fn is_end(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Lines {
    /// Lines that are written by who logs them, until a thread takes over.
    pub(in crate::telemetry) fn new(ink: impl Fn(&[u8]) + Send + Sync + 'static) -> Self {
        Self {
            to_thread: OnceLock::new(),
            ended: Latest::new(0),
            put: Counter::new(),
            taken: Counter::new(),
            lost: Counter::new(),
            spare: ArrayQueue::new(SPARE),
            ink: Box::new(ink),
        }
    }

    /// One line with its line break. An urgent one does not wait for others.
    pub(in crate::telemetry) fn put(&self, line: &[u8], urgent: bool) {
        match self.to_thread.get() {
            Some(to_thread) if self.ended.value() == 0 => self.send(to_thread, line, urgent),
            _ => self.write(line),
        }
    }

    fn send(&self, to_thread: &SyncSender<Line>, line: &[u8], urgent: bool) {
        let room = if urgent { ROOM_FOR_URGENT } else { ROOM };
        let length = line.len() as u64;
        let waiting = self.put.total().saturating_sub(self.taken.total());
        if waiting + length > room {
            self.lost.add(1);
            return;
        }
        let mut bytes = self.spare.pop().unwrap_or_default();
        bytes.extend_from_slice(line);
        self.put.add(length);
        if to_thread.try_send(Line { bytes, urgent }).is_err() {
            self.taken.add(length);
            self.lost.add(1);
        }
    }

    /// From now on lines wait here. Only once.
    pub(super) fn queue(&self) -> Option<Receiver<Line>> {
        let (to_thread, queue) = sync_channel(SLOTS);
        self.to_thread.set(to_thread).ok().map(|()| queue)
    }

    /// Adds a line that was taken from the queue to a batch.
    pub(super) fn take(&self, line: Line, batch: &mut Vec<u8>) {
        let mut bytes = line.bytes;
        batch.extend_from_slice(&bytes);
        self.taken.add(bytes.len() as u64);
        if bytes.capacity() <= KEPT {
            bytes.clear();
            // One too many is dropped.
            let _ = self.spare.push(bytes);
        }
    }

    /// From now on lines are written by who logs them. Whether [`Line::END`] found room behind those that wait.
    pub(super) fn end(&self) -> bool {
        self.ended.set(1);
        let to_thread = self.to_thread.get();
        to_thread.is_none_or(|to_thread| to_thread.try_send(Line::END).is_ok())
    }

    /// Lines that found no room, since the beginning.
    pub(super) fn lost(&self) -> u64 {
        self.lost.total()
    }

    /// Writes past the queue.
    pub(super) fn write(&self, bytes: &[u8]) {
        (self.ink)(bytes);
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lines")
            .field("put", &self.put)
            .field("taken", &self.taken)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn paper() -> (Lines, Arc<Mutex<Vec<u8>>>) {
        let written = Arc::new(Mutex::new(Vec::new()));
        let ink = Arc::clone(&written);
        let lines = Lines::new(move |bytes: &[u8]| ink.lock().unwrap().extend_from_slice(bytes));
        (lines, written)
    }

    /// Everything that waits, and how many lines that is.
    fn taken(lines: &Lines, queue: &Receiver<Line>) -> (Vec<u8>, usize) {
        let mut batch = Vec::new();
        let count = queue.try_iter().map(|line| lines.take(line, &mut batch));
        let count = count.count();
        (batch, count)
    }

    #[test]
    fn without_a_thread_a_line_is_written_by_who_logs_it() {
        let (lines, written) = paper();
        lines.put(b"one\n", false);
        assert_eq!(*written.lock().unwrap(), b"one\n");
    }

    #[test]
    fn lines_wait_in_their_order_and_an_urgent_one_says_so() {
        let (lines, written) = paper();
        let queue = lines.queue().unwrap();
        assert!(lines.queue().is_none(), "only one thread takes them");
        lines.put(b"one\n", false);
        lines.put(b"two\n", true);
        assert!(written.lock().unwrap().is_empty());
        let waiting: Vec<_> = queue.try_iter().collect();
        assert_eq!(
            waiting.iter().map(Line::is_urgent).collect::<Vec<_>>(),
            [false, true]
        );
        let mut batch = Vec::new();
        for line in waiting {
            lines.take(line, &mut batch);
        }
        assert_eq!(batch, b"one\ntwo\n");
    }

    #[test]
    fn what_finds_no_room_is_counted_and_a_warning_finds_some() {
        let (lines, _) = paper();
        let queue = lines.queue().unwrap();
        let line = vec![b'x'; 1 << 18];
        for _ in 0..6 {
            lines.put(&line, false);
        }
        lines.put(b"warning\n", true);
        let (batch, count) = taken(&lines, &queue);
        assert_eq!((batch.len(), count), ((1 << 20) + 8, 5));
        assert!(batch.ends_with(b"warning\n"));
        assert_eq!(lines.lost(), 2);
        lines.put(&line, false);
        assert_eq!(taken(&lines, &queue).1, 1, "there is room again");
        for _ in 0..=SLOTS {
            lines.put(b"x", true);
        }
        assert_eq!((lines.lost(), taken(&lines, &queue).1), (3, SLOTS));
    }

    #[test]
    fn the_end_comes_behind_what_waits_and_later_lines_do_not_wait() {
        let (lines, written) = paper();
        let queue = lines.queue().unwrap();
        lines.put(b"last\n", false);
        assert!(lines.end());
        lines.put(b"later\n", false);
        assert_eq!(*written.lock().unwrap(), b"later\n");
        let ends: Vec<_> = queue.try_iter().map(|line| line.is_end()).collect();
        assert_eq!(ends, [false, true]);
    }
}
