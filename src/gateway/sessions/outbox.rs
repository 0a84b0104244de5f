//! What waits for a session's GET stream: a bounded queue that gives up its oldest message rather than grow.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use crossbeam_queue::ArrayQueue;
use tokio::sync::Notify;

use super::Session;
use crate::{
    gateway::{inbound::EventStream, stream::step_by_step},
    lockfree::{Counter, Latest},
};

/// The queue is made when somebody listens for the first time; before that nothing is kept.
pub(super) struct Outbox {
    queue: OnceLock<ArrayQueue<Bytes>>,
    capacity: usize,
    wake: Notify,
    listeners: Counter,
    gone: Counter,
    ended: Latest,
}

impl Outbox {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            queue: OnceLock::new(),
            capacity: capacity.max(1),
            wake: Notify::new(),
            listeners: Counter::new(),
            gone: Counter::new(),
            ended: Latest::new(0),
        }
    }

    /// Queues a message. False if the oldest one had to go for it.
    pub(super) fn push(&self, message: Bytes) -> bool {
        let Some(queue) = self.queue.get() else {
            return true;
        };
        let kept = queue.force_push(message).is_none();
        self.wake.notify_one();
        kept
    }

    /// Whether a stream is open.
    pub(super) fn is_listened(&self) -> bool {
        self.listeners.total() > self.gone.total()
    }

    /// Ends the open stream, and every later one at once.
    pub(super) fn end(&self) {
        self.ended.set(1);
        self.wake.notify_waiters();
    }

    fn open(&self) -> u64 {
        self.queue.get_or_init(|| ArrayQueue::new(self.capacity));
        self.listeners.add(1);
        self.wake.notify_waiters();
        self.listeners.total()
    }

    async fn next(&self, turn: u64) -> Option<Bytes> {
        loop {
            // Made before the look at the queue, so that a wake-up in between is not lost.
            let woken = self.wake.notified();
            if self.ended.value() != 0 || self.listeners.total() != turn {
                return None;
            }
            if let Some(message) = self.queue.get().and_then(ArrayQueue::pop) {
                return Some(message);
            }
            woken.await;
        }
    }
}

/// Opens the session's stream. The newest stream gets the messages; an older one ends.
pub(super) fn listen(session: Arc<Session>) -> Box<dyn EventStream> {
    let turn = session.outbox().open();
    let listener = Listener { session, turn };
    step_by_step(listener, |listener| async move {
        let message = listener.session.outbox().next(listener.turn).await?;
        Some((message, listener))
    })
}

struct Listener {
    session: Arc<Session>,
    turn: u64,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.session.outbox().gone.add(1);
    }
}
