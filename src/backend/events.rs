//! What a backend says of a call before its answer, on its way to whoever waits: nearly every call has none of it, so the
//! queue is made when the first comes.

use std::sync::{Arc, OnceLock, Weak};

use crossbeam_queue::ArrayQueue;
use tokio::sync::Notify;

use super::Ask;
use crate::protocol::Message;

/// Something that a backend says before its answer.
#[derive(Debug)]
pub enum Event {
    /// A notification.
    Said(Message),
    /// A request to the client.
    Asked(Ask),
    /// What is no backend's but said by those who hear it, to the client as it is.
    Ours(Message),
    /// A notification that the client has on the stream of one of its calls already.
    Told(Message),
    /// The call has its answer, or who asked is gone: what was asked is of no use any more.
    Over,
}

/// The end at which a transport puts messages. It does not keep them: once the other end is gone nobody would take them, and
/// what is asked is declined.
#[derive(Debug)]
pub struct EventSender(Weak<Events>);

/// The end at which the caller takes them.
pub struct EventReceiver {
    events: Arc<Events>,
    handler: Box<Handler>,
}

/// Makes of an event what is told, if anything.
type Handler = dyn FnMut(Event) -> Option<Message> + Send;

#[derive(Debug)]
struct Events {
    /// Apart, because it is laid out for several cores at once: rarely made, and then dear to make room for.
    queue: OnceLock<Box<ArrayQueue<Event>>>,
    capacity: usize,
    wake: Notify,
}

/// A queue for one call that holds up to `capacity` messages (0 is taken as 1).
#[must_use]
pub fn events(capacity: usize) -> (EventSender, EventReceiver) {
    let events = Arc::new(Events {
        queue: OnceLock::new(),
        capacity: capacity.max(1),
        wake: Notify::new(),
    });
    let receiver = EventReceiver {
        events,
        handler: Box::new(said),
    };
    (EventSender(Arc::downgrade(&receiver.events)), receiver)
}

/// A request is declined where nobody is there who could take it on.
fn said(event: Event) -> Option<Message> {
    match event {
        Event::Said(message) | Event::Ours(message) => Some(message),
        Event::Asked(_) | Event::Told(_) | Event::Over => None,
    }
}

impl EventSender {
    /// Puts a notification at the end. False if it is dropped because the queue is full or its reader has gone.
    #[must_use]
    pub fn put(&self, message: Message) -> bool {
        self.push(Event::Said(message))
    }

    /// The same for what no backend says.
    #[must_use]
    pub fn put_ours(&self, message: Message) -> bool {
        self.push(Event::Ours(message))
    }

    /// The same for what the client has on the stream of one of its calls already.
    #[must_use]
    pub fn put_told(&self, message: Message) -> bool {
        self.push(Event::Told(message))
    }

    /// Puts a request at the end; it is declined if the queue is full or its reader has gone.
    pub fn ask(&self, ask: Ask) {
        let _ = self.push(Event::Asked(ask));
    }

    /// What was asked so far is of no use any more.
    pub(super) fn over(&self) {
        let _ = self.push(Event::Over);
    }

    /// Whether its reader is there.
    #[must_use]
    pub fn is_heard(&self) -> bool {
        self.0.strong_count() > 0
    }

    fn push(&self, event: Event) -> bool {
        let Some(events) = self.0.upgrade() else {
            return false;
        };
        let make = || Box::new(ArrayQueue::new(events.capacity));
        let has_room = events.queue.get_or_init(make).push(event).is_ok();
        events.wake.notify_one();
        has_room
    }
}

impl Clone for EventSender {
    fn clone(&self) -> Self {
        Self(Weak::clone(&self.0))
    }
}

impl EventReceiver {
    /// The same end, at which `handler` says what is told of each event.
    #[must_use]
    pub fn handled(self, handler: impl FnMut(Event) -> Option<Message> + Send + 'static) -> Self {
        Self {
            handler: Box::new(handler),
            ..self
        }
    }

    /// The same end, at which messages that are not wanted are passed over.
    #[must_use]
    pub fn only(self, wants: impl Fn(&Message) -> bool + Send + 'static) -> Self {
        let Self {
            events,
            handler: mut earlier,
        } = self;
        let handler = move |event| earlier(event).filter(&wants);
        Self {
            events,
            handler: Box::new(handler),
        }
    }

    /// The next message, as soon as there is one.
    pub async fn recv(&mut self) -> Message {
        loop {
            // A wake-up between the look and the wait is kept: there is one reader.
            if let Some(message) = self.try_recv() {
                return message;
            }
            self.events.wake.notified().await;
        }
    }

    /// What is told once the call has its answer and all that was said before is taken, one message at a time.
    pub fn last_words(&mut self) -> Option<Message> {
        (self.handler)(Event::Over)
    }

    /// The next message, if there is one.
    pub fn try_recv(&mut self) -> Option<Message> {
        let queue = self.events.queue.get()?;
        std::iter::from_fn(|| queue.pop()).find_map(&mut self.handler)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: usize) -> Message {
        Message::notification("n", Some(format!("[{number}]").as_bytes()))
    }

    #[tokio::test]
    async fn messages_come_in_order_and_what_finds_no_room_is_dropped() {
        let (sender, mut receiver) = events(2);
        assert!(receiver.try_recv().is_none());
        let sent: Vec<_> = (0..3).map(|number| sender.put(message(number))).collect();
        assert_eq!(sent, [true, true, false]);
        for number in 0..2 {
            assert_eq!(receiver.recv().await.bytes(), message(number).bytes());
        }
        assert!(receiver.try_recv().is_none());
    }

    #[test]
    fn what_is_not_wanted_is_passed_over() {
        let (sender, receiver) = events(4);
        let mut receiver = receiver.only(|message| message.params().unwrap() != "[1]");
        assert!((0..3).all(|number| sender.put(message(number))));
        let seen: Vec<_> = std::iter::from_fn(|| receiver.try_recv()).collect();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[1].params().unwrap(), "[2]");
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let (sender, mut receiver) = events(1);
        let send = async { assert!(sender.clone().put(message(7))) };
        let (received, ()) = tokio::join!(receiver.recv(), send);
        assert_eq!(received.bytes(), message(7).bytes());
    }

    #[test]
    fn what_is_said_to_a_reader_that_has_gone_is_dropped() {
        let (sender, receiver) = events(4);
        assert!(sender.put(message(1)));
        drop(receiver);
        assert!(!sender.put(message(2)));
    }
}
