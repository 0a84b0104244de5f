//! Takes the requests that a backend sends during a call to the client of that call.

use std::sync::Arc;

use crate::{
    backend::{Event, Patience},
    gateway::sessions::Session,
    protocol::Message,
};

const CANCELLED: &str = "notifications/cancelled";

/// What a call's client is asked while the call is open; what it has not answered at the end of the call is withdrawn.
pub(in crate::gateway) struct Relay {
    session: Arc<Session>,
    patience: Patience,
    asked: Vec<u64>,
}

impl Relay {
    pub(in crate::gateway) const fn new(session: Arc<Session>, patience: Patience) -> Self {
        Self {
            session,
            patience,
            asked: Vec::new(),
        }
    }

    /// What the client is told of an event.
    pub(in crate::gateway) fn take(&mut self, event: Event) -> Option<Message> {
        let ask = match event {
            Event::Said(message) if message.method() == Some(CANCELLED) => {
                return self.cancelled(&message);
            }
            Event::Said(message) => return Some(message),
            Event::Asked(ask) => ask,
        };
        let (id, message) = self.session.asks().relay(ask, Some(self.patience.wait()));
        self.asked.push(id);
        Some(message)
    }

    /// A backend does not want to know any more what it asked: its client knows the question under another id.
    fn cancelled(&self, message: &Message) -> Option<Message> {
        let theirs = message.cancelled_id()?;
        let asks = self.session.asks();
        let is_it = |id: &&u64| asks.is_of_backend(**id, theirs);
        let id = *self.asked.iter().rev().find(is_it)?;
        asks.withdraw(id);
        let params = format!(r#"{{"requestId":{id}}}"#);
        Some(Message::notification(CANCELLED, Some(params.as_bytes())))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        for id in self.asked.drain(..) {
            self.session.asks().withdraw(id);
        }
    }
}
