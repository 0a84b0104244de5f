//! Calls of modern clients that wait for input: an older backend asks while the call is open, a modern client answers by
//! sending it again.

use std::{
    collections::HashMap,
    fmt::Write,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::value::RawValue;
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use super::{conversation::Conversation, seal::Seal};
use crate::{
    backend::{Ask, Event, LONGEST_WAIT, Patience, Waiting},
    protocol::{Message, RawObject, quote},
};

/// Calls that are parked at once; what a further one is asked is declined.
const MOST: usize = 256;
/// What one call may be asked at once.
const MOST_QUESTIONS: usize = 16;

/// The calls that wait for input. Locked when one is parked or taken up again.
pub(in crate::gateway) struct Parked {
    calls: Mutex<HashMap<Uuid, Waits>>,
    seal: Seal,
}

struct Waits {
    conversation: Conversation,
    until: Instant,
}

impl Parked {
    pub(in crate::gateway) fn new() -> Self {
        Self {
            calls: Mutex::default(),
            seal: Seal::new(),
        }
    }

    /// Keeps a call until it is repeated; the state by which it is found then. A call that finds no place ends.
    pub(in crate::gateway) fn park(&self, conversation: Conversation) -> Option<String> {
        let id = Uuid::new_v4();
        let state = self.seal.close(id, conversation.call())?;
        let mut calls = self.calls();
        if calls.len() >= MOST {
            return None;
        }
        let until = Instant::now() + LONGEST_WAIT;
        calls.insert(
            id,
            Waits {
                conversation,
                until,
            },
        );
        Some(state)
    }

    /// Takes up the call that was parked with this state and is repeated as `call`.
    pub(in crate::gateway) fn take(&self, state: &str, call: &str) -> Option<Conversation> {
        let id = self.seal.open(state, call)?;
        let waits = self.calls().remove(&id)?;
        (waits.until > Instant::now()).then_some(waits.conversation)
    }

    /// Ends the calls for which nobody came back in time.
    pub(in crate::gateway) fn reap(&self) {
        let now = Instant::now();
        // Dropped behind the lock: they tell their backends.
        let late: Vec<_> = self
            .calls()
            .extract_if(|_, waits| waits.until <= now)
            .collect();
        drop(late);
    }

    /// Ends all.
    pub(in crate::gateway) fn end(&self) {
        let all = mem::take(&mut *self.calls());
        drop(all);
    }

    fn calls(&self) -> MutexGuard<'_, HashMap<Uuid, Waits>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a backend that has asked something may take to ask more, before the client is asked all of it at once.
pub(super) const MORE: Duration = Duration::from_millis(30);

/// What the backend of one call wants to know.
#[derive(Default)]
pub(in crate::gateway) struct Questions {
    open: Mutex<Open>,
    pub(super) asked: Notify,
    patience: Patience,
}

#[derive(Default)]
struct Open {
    count: usize,
    questions: Vec<(Box<str>, Ask, Waiting)>,
}

impl Questions {
    pub(in crate::gateway) const fn patience(&self) -> &Patience {
        &self.patience
    }

    /// Keeps what is asked; everything else is told.
    pub(in crate::gateway) fn take(&self, event: Event) -> Option<Message> {
        let ask = match event {
            Event::Said(message) => return Some(message),
            Event::Asked(ask) => ask,
        };
        let mut open = self.open();
        if open.questions.len() >= MOST_QUESTIONS {
            return None;
        }
        open.count += 1;
        let kind = ask.message().method().unwrap_or_default();
        let kind = kind.split('/').next().unwrap_or_default();
        let key = format!("{kind}-{}", open.count).into();
        let waiting = self.patience.wait();
        open.questions.push((key, ask, waiting));
        drop(open);
        self.asked.notify_one();
        None
    }

    pub(in crate::gateway) fn are_there(&self) -> bool {
        !self.open().questions.is_empty()
    }

    /// `inputRequests`: each question under its key, as the backend wrote it.
    pub(in crate::gateway) fn requests(&self) -> String {
        let open = self.open();
        let mut text = String::from("{");
        for (key, ask, _) in &open.questions {
            if text.len() > 1 {
                text.push(',');
            }
            let message = ask.message();
            let method = quote(message.method().unwrap_or_default());
            // A string takes everything.
            let _ = write!(
                text,
                r#""{key}":{{"method":{}"#,
                String::from_utf8_lossy(&method)
            );
            if let Some(params) = message.params() {
                text.push_str(r#","params":"#);
                text.push_str(&String::from_utf8_lossy(&params));
            }
            text.push('}');
        }
        text.push('}');
        text
    }

    /// Hands over the answers that are there; what is missing, or is no object, is still open.
    pub(in crate::gateway) fn answer(&self, responses: &RawObject<'_>) {
        let mut answered = Vec::new();
        let mut open = self.open();
        for (key, ask, waiting) in mem::take(&mut open.questions) {
            match responses
                .member(&key)
                .filter(|it| it.get().starts_with('{'))
            {
                Some(response) => answered.push((ask, response, waiting)),
                None => open.questions.push((key, ask, waiting)),
            }
        }
        drop(open);
        for (ask, response, waiting) in answered {
            ask.answer(&response_of(response));
            drop(waiting);
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn response_of(result: &RawValue) -> Message {
    Message::response(b"0", result.get().as_bytes())
}
