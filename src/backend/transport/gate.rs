//! May a child be started or a session be opened, and is one that was begun before a stop still wanted?

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::backend::CallError;

/// Orders starts and stops. Locked when a backend starts or stops, never by a call to a running one.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    shut: bool,
    stops: u64,
}

/// Leave to start, void once the backend has been stopped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass(u64);

impl Gate {
    /// Leave to start, unless the gate is shut.
    pub(super) fn enter(&self) -> Result<Pass, CallError> {
        let state = self.state();
        if state.shut {
            return Err(CallError::Stopped);
        }
        Ok(Pass(state.stops))
    }

    /// Runs `keep`, which makes known what was started, unless there was a stop since `pass` was given.
    pub(super) fn keep(&self, pass: Pass, keep: impl FnOnce()) -> Result<(), CallError> {
        let state = self.state();
        if state.stops != pass.0 {
            return Err(CallError::Stopped);
        }
        keep();
        Ok(())
    }

    /// Voids every pass and runs `take`, which takes back what was made known; what is begun later is wanted again.
    pub(super) fn stop<T>(&self, take: impl FnOnce() -> T) -> T {
        let mut state = self.state();
        state.stops += 1;
        take()
    }

    /// Gives no pass until [`Gate::open`].
    pub(super) fn shut(&self) {
        self.state().shut = true;
    }

    pub(super) fn open(&self) {
        self.state().shut = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_begun_before_a_stop_is_not_kept() {
        let gate = Gate::default();
        let before = gate.enter().unwrap();
        gate.stop(|| ());
        let kept = gate.keep(before, || panic!("it was kept"));
        assert_eq!(kept, Err(CallError::Stopped));
        let after = gate.enter().unwrap();
        assert_eq!(gate.keep(after, || ()), Ok(()));
    }

    #[test]
    fn a_shut_gate_lets_nobody_in_until_it_is_opened() {
        let gate = Gate::default();
        gate.shut();
        assert_eq!(gate.enter().unwrap_err(), CallError::Stopped);
        gate.open();
        assert!(gate.enter().is_ok());
    }
}
