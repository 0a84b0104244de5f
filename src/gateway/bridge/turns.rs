//! Which calls are on a lent way now: how many more may be, and whether it may be ended.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The calls of one way. Locked when one begins or ends.
pub(super) struct Turns {
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    calls: usize,
    /// Nobody gets a turn any more.
    is_over: bool,
}

/// A call's time on a way; over when this is dropped.
pub(super) struct Turn(Arc<Turns>);

impl Turns {
    /// A way for up to `most` calls at once.
    pub(super) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            state: Mutex::default(),
        })
    }

    /// A turn, unless as many calls as may be are on the way, or it is over.
    pub(super) fn take(self: &Arc<Self>) -> Option<Turn> {
        let mut state = self.state();
        if state.is_over || state.calls >= self.most {
            return None;
        }
        state.calls += 1;
        Some(Turn(Arc::clone(self)))
    }

    /// Gives no more turns, if nobody has one; whether this has ended it.
    pub(super) fn end_if_idle(&self) -> bool {
        let mut state = self.state();
        let is_end = state.calls == 0 && !state.is_over;
        state.is_over |= is_end;
        is_end
    }

    pub(super) fn is_over(&self) -> bool {
        self.state().is_over
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.state().calls -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_ended_only_between_calls_and_then_for_good() {
        let turns = Turns::new(1);
        let turn = turns.take().unwrap();
        assert!(turns.take().is_none());
        assert!(!turns.end_if_idle());
        drop(turn);
        drop(turns.take().unwrap());
        assert!(turns.end_if_idle());
        assert!(turns.take().is_none() && turns.is_over());
        assert!(!turns.end_if_idle(), "by one alone");
    }
}
