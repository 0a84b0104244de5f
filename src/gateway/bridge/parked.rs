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

use super::{OfCall, conversation::Conversation, seal::Seal};
use crate::{
    backend::{Ask, Event, LONGEST_WAIT, Patience, Waiting},
    protocol::{Message, RawObject, quote},
};

/// Calls that are parked at once; a further one that is asked something ends.
const MOST: usize = 256;
/// The same for one caller, so that no one takes all.
const MOST_OF_ONE: usize = 128;
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

/// Why a call could not be parked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum NoPlace {
    /// As many calls wait as may.
    All(usize),
    /// So many wait of this caller.
    Caller(usize),
    /// The system has no randomness to seal a state with.
    Unsealed,
}

impl Parked {
    pub(in crate::gateway) fn new() -> Self {
        Self {
            calls: Mutex::default(),
            seal: Seal::new(),
        }
    }

    /// Keeps a call until it is repeated; the state by which it is found then. A call that finds no place ends.
    pub(in crate::gateway) fn park(&self, conversation: Conversation) -> Result<String, NoPlace> {
        let id = Uuid::new_v4();
        let state = self.seal.close(id, &conversation.call().identity());
        let state = state.ok_or(NoPlace::Unsealed)?;
        let mut calls = self.calls();
        has_place(&calls, conversation.call().caller())?;
        conversation.call().asked();
        let until = Instant::now() + LONGEST_WAIT;
        calls.insert(
            id,
            Waits {
                conversation,
                until,
            },
        );
        Ok(state)
    }

    /// Takes up the call that was parked with this state and is repeated as `call`.
    pub(in crate::gateway) fn take(&self, state: &str, call: &OfCall) -> Option<Conversation> {
        let id = self.seal.open(state, &call.identity())?;
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

/// Whether one more call of this caller may wait.
fn has_place(calls: &HashMap<Uuid, Waits>, caller: &str) -> Result<(), NoPlace> {
    if calls.len() >= MOST {
        return Err(NoPlace::All(MOST));
    }
    let its = |waits: &&Waits| waits.conversation.call().caller() == caller;
    if calls.values().filter(its).count() >= MOST_OF_ONE {
        return Err(NoPlace::Caller(MOST_OF_ONE));
    }
    Ok(())
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
            Event::Said(message) | Event::Ours(message) => return Some(message),
            Event::Asked(ask) => ask,
            Event::Told(_) | Event::Over => return None,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        backend::events,
        gateway::{inbound::Caller, underway::Underway},
    };

    fn call(caller: &str, number: usize) -> OfCall {
        let caller = Arc::new(Caller {
            name: caller.into(),
            ..Caller::default()
        });
        let params = format!(r#"{{"arguments":{{"n":{number}}}}}"#);
        OfCall::of(
            caller,
            Message::request(b"1", "tools/call", Some(params.as_bytes())),
        )
    }

    fn conversation(caller: &str, number: usize) -> Conversation {
        let underway = Underway::new(std::future::pending(), false);
        let (_, events) = events(1);
        Conversation::new(call(caller, number), underway, events, Arc::default())
    }

    #[tokio::test]
    async fn no_caller_takes_the_places_of_all() {
        let parked = Parked::new();
        let mut states = Vec::new();
        for number in 0..MOST_OF_ONE {
            states.push(parked.park(conversation("anna", number)).unwrap());
        }
        let refused = parked.park(conversation("anna", 99));
        assert_eq!(refused, Err(NoPlace::Caller(MOST_OF_ONE)));
        assert!(parked.park(conversation("bert", 0)).is_ok());
        assert!(parked.take(&states[7], &call("anna", 8)).is_none());
        assert!(parked.take(&states[7], &call("anna", 7)).is_some());
        assert!(parked.park(conversation("anna", 99)).is_ok());
    }

    #[tokio::test]
    async fn the_places_of_all_are_bounded_too() {
        let parked = Parked::new();
        for number in 0..MOST {
            let caller = (number / MOST_OF_ONE).to_string();
            assert!(parked.park(conversation(&caller, number)).is_ok());
        }
        assert_eq!(
            parked.park(conversation("bert", 0)),
            Err(NoPlace::All(MOST))
        );
    }
}
