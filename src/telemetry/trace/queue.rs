//! Spans that have ended and wait to be sent: bounded, and what does not fit is counted.

use std::{sync::OnceLock, thread::Thread};

use crossbeam_queue::ArrayQueue;
use opentelemetry_sdk::trace::SpanData;

use crate::lockfree::{Counter, Latest};

/// What became of the spans so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounts {
    /// Taken by the collector.
    pub exported: u64,
    /// Lost because the queue was full.
    pub dropped: u64,
    /// Lost because the collector did not take them.
    pub failed: u64,
}

/// The queue between the requests and the one thread that sends.
pub(super) struct Spans {
    queue: ArrayQueue<SpanData>,
    batch: usize,
    sender: OnceLock<Thread>,
    /// 1 once nothing more is to come.
    pub(super) closed: Latest,
    pub(super) exported: Counter,
    pub(super) failed: Counter,
    dropped: Counter,
}

impl Spans {
    pub(super) fn new(room: usize, batch: usize) -> Self {
        Self {
            queue: ArrayQueue::new(room.max(1)),
            batch: batch.clamp(1, room.max(1)),
            sender: OnceLock::new(),
            closed: Latest::new(0),
            exported: Counter::default(),
            failed: Counter::default(),
            dropped: Counter::default(),
        }
    }

    /// Puts a span in line; whoever sends is woken when there is enough for one batch.
    pub(super) fn put(&self, span: SpanData) {
        if self.queue.push(span).is_err() {
            self.dropped.add(1);
        } else if self.queue.len() == self.batch {
            self.wake();
        }
    }

    /// The next batch; empty if there is nothing.
    pub(super) fn take(&self) -> Vec<SpanData> {
        let waiting = std::iter::from_fn(|| self.queue.pop());
        waiting.take(self.batch).collect()
    }

    pub(super) fn has_batch(&self) -> bool {
        self.queue.len() >= self.batch
    }

    pub(super) fn sent_by(&self, sender: Thread) {
        let _ = self.sender.set(sender);
    }

    pub(super) fn wake(&self) {
        if let Some(sender) = self.sender.get() {
            sender.unpark();
        }
    }

    pub(super) fn counts(&self) -> SpanCounts {
        SpanCounts {
            exported: self.exported.total(),
            dropped: self.dropped.total(),
            failed: self.failed.total(),
        }
    }
}
