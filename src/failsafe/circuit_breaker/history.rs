//! What a breaker remembers beside its state: why and when it opened, how often it changed, how many calls it refused.
//! Written only by failures, changes and refusals; a call that flows touches none of it.

use std::{array, fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;

use crate::{
    failsafe::circuit_breaker::{
        cause::{Cause, CauseKind},
        state::CircuitState,
    },
    lockfree::{Counter, Latest, Pace},
};

/// A refusal is told at most once in this time.
const TELL_REFUSALS_EVERY: Duration = Duration::from_secs(1);

/// How often a breaker went to one state for one cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransitionCount {
    /// The state it went to.
    pub to: CircuitState,
    /// Why.
    pub cause: CauseKind,
    /// How often; never zero.
    pub count: u64,
}

#[derive(Debug)]
pub(super) struct History {
    backend: Box<str>,
    cause: ArcSwapOption<Cause>,
    opened_at_ms: Latest,
    transitions: [[Counter; CauseKind::COUNT]; CircuitState::ALL.len()],
    rejected: Counter,
    rejected_told: Latest,
    tell: Pace,
}

impl History {
    pub(super) fn new(backend: &str) -> Self {
        Self {
            backend: backend.into(),
            cause: ArcSwapOption::empty(),
            opened_at_ms: Latest::new(0),
            transitions: array::from_fn(|_| array::from_fn(|_| Counter::new())),
            rejected: Counter::new(),
            rejected_told: Latest::new(0),
            tell: Pace::new(TELL_REFUSALS_EVERY),
        }
    }

    pub(super) fn backend(&self) -> &str {
        &self.backend
    }

    /// Keeps the latest cause. Called before the core hears of the failure: whoever is refused because of it finds the cause.
    pub(super) fn blame(&self, kind: CauseKind, text: &dyn fmt::Display) -> Arc<Cause> {
        let cause = Arc::new(Cause {
            kind,
            text: text.to_string().into(),
        });
        self.cause.store(Some(Arc::clone(&cause)));
        cause
    }

    pub(super) fn cause(&self) -> Option<Arc<Cause>> {
        self.cause.load_full()
    }

    pub(super) fn opened(&self, now_ms: u64) {
        self.opened_at_ms.set(now_ms);
    }

    /// How long ago it opened; says something only while it is not closed.
    pub(super) fn open_for(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.opened_at_ms.value()))
    }

    pub(super) fn count(&self, to: CircuitState, cause: CauseKind) {
        self.transitions[to.index()][cause.index()].add(1);
    }

    pub(super) fn transitions(&self) -> impl Iterator<Item = TransitionCount> {
        let cells = CircuitState::ALL
            .into_iter()
            .flat_map(|to| CauseKind::all().map(move |cause| (to, cause)));
        cells
            .map(|(to, cause)| TransitionCount {
                to,
                cause,
                count: self.transitions[to.index()][cause.index()].total(),
            })
            .filter(|transition| transition.count > 0)
    }

    /// Counts a refusal. If it is time to tell, how many there were since the last time.
    pub(super) fn refused(&self, now_ms: u64) -> Option<u64> {
        self.rejected.add(1);
        self.tell.turn(now_ms).then(|| {
            let total = self.rejected.total();
            let told = self.rejected_told.value();
            self.rejected_told.set(total);
            total.saturating_sub(told)
        })
    }

    pub(super) fn rejected_total(&self) -> u64 {
        self.rejected.total()
    }
}
