//! Takes the requests that a backend sends during a call to the client of that call.

use std::sync::Arc;

use crate::{
    backend::{Event, Patience},
    gateway::{
        inbound::Route,
        notices::is_list_change,
        sessions::{CANCELLED, Session},
    },
    protocol::Message,
};

/// What a call's client is asked while the call is open; what it has not answered at the end of the call is withdrawn, and it
/// is told so.
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
                return self.session.asks().cancelled(&self.asked, &message);
            }
            // It sees what all share, and hears once that has been read again.
            Event::Said(message) if self.is_of_all() && is_list_change(&message) => return None,
            Event::Said(message) | Event::Ours(message) => return Some(message),
            Event::Asked(ask) => ask,
            Event::Told(_) => return None,
            Event::Over => return self.withdrawn(),
        };
        let (id, message) = self.session.relay(ask, Some(self.patience.wait()));
        self.asked.push(id);
        Some(message)
    }

    fn is_of_all(&self) -> bool {
        *self.session.route() == Route::Aggregate
    }

    /// Withdraws one more question; what its client is told.
    fn withdrawn(&mut self) -> Option<Message> {
        let asks = self.session.asks();
        std::iter::from_fn(|| self.asked.pop()).find_map(|id| asks.withdraw(id))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The stream of the call has gone before its answer.
        while let Some(message) = self.withdrawn() {
            self.session.tell(message.bytes().clone());
        }
    }
}
