//! Which calls are on a lent way now: how many more may be, whether it may be ended, and who is asked what its backend asks
//! outside of calls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::{Ask, EventSender};

/// The calls of one way. Locked when one begins or ends, and when something is asked.
pub(super) struct Turns {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    last: u64,
    /// The calls by their numbers, each with where its client hears.
    calls: Vec<(u64, Option<EventSender>)>,
    /// Nobody gets a turn any more.
    is_over: bool,
}

/// A call's time on a way; over when this is dropped.
pub(super) struct Turn {
    turns: Arc<Turns>,
    number: u64,
}

impl Turns {
    /// A way for up to `most` calls at once.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            state: Mutex::default(),
        })
    }

    /// A turn for a call whose client hears at `events`, unless as many as may be are on the way, or it is over.
    pub(super) fn take(self: &Arc<Self>, events: Option<&EventSender>) -> Option<Turn> {
        let mut state = self.state();
        if state.is_over || state.calls.len() >= self.most {
            return None;
        }
        state.last += 1;
        let number = state.last;
        state.calls.push((number, events.cloned()));
        Some(Turn {
            turns: Arc::clone(self),
            number,
        })
    }

    /// Gives no more turns, if nobody has one; whether this has ended it.
    pub(super) fn end_if_idle(&self) -> bool {
        let mut state = self.state();
        let is_end = state.calls.is_empty() && !state.is_over;
        state.is_over |= is_end;
        is_end
    }

    pub(super) fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Has the client of the latest call that hears answer what was asked outside of all. Without one it is declined: a client of
    /// a revision without sessions can be asked during a call alone.
    pub(super) fn ask(&self, ask: Ask) {
        let heard = {
            let state = self.state();
            let mut hearers = state
                .calls
                .iter()
                .rev()
                .filter_map(|(_, events)| events.as_ref());
            hearers.find(|events| events.is_heard()).cloned()
        };
        if let Some(events) = heard {
            return events.ask(ask);
        }
        let method = ask.message().method().unwrap_or_default().to_owned();
        ask.decline(&format!(
            "`{method}` came outside of a call, and this client can be asked during one alone"
        ));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let number = self.number;
        self.turns.state().calls.retain(|(call, _)| *call != number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_ended_only_between_calls_and_then_for_good() {
        let turns = Turns::new(1);
        let turn = turns.take(None).unwrap();
        assert!(turns.take(None).is_none());
        assert!(!turns.end_if_idle());
        drop(turn);
        drop(turns.take(None).unwrap());
        assert!(turns.end_if_idle());
        assert!(turns.take(None).is_none() && turns.is_over());
        assert!(!turns.end_if_idle(), "by one alone");
    }
}
