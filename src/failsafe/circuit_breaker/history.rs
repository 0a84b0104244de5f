//! What a breaker remembers beside its state: its last failures and changes, how often it changed, how many calls it refused.
//! Written only by failures, changes and refusals; a call that flows touches none of it.

use std::{array, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;

use crate::{
    failsafe::circuit_breaker::{
        cause::{Blame, Cause, CauseKind, Facts},
        changes::{Change, Changes, Trail},
        failures::{Failures, KEPT},
        state::CircuitState,
    },
    lockfree::{Counter, Latest, Pace, Repeats},
};

/// A refusal is told at most once in this time.
const TELL_REFUSALS_EVERY: Duration = Duration::from_secs(1);
/// Failures that are warned of one by one in each [`WHILE`].
const FEW: u32 = 10;
const WHILE: Duration = Duration::from_secs(10);

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

/// Whose breaker it is.
#[derive(Debug, Hash)]
pub(super) struct Owner {
    pub(super) backend: Box<str>,
    /// The tool, if it is the breaker of one alone.
    pub(super) tool: Option<Box<str>>,
}

#[derive(Debug)]
pub(super) struct History {
    owner: Owner,
    cause: ArcSwapOption<Cause>,
    /// Until when the backend has asked not to be called, in milliseconds.
    not_before_ms: Latest,
    failures: Failures,
    changes: Changes,
    opened_at_ms: Latest,
    transitions: [[Counter; CauseKind::COUNT]; CircuitState::ALL.len()],
    rejected: Counter,
    rejected_told: Latest,
    tell: Pace,
    counted: Repeats,
}

impl History {
    pub(super) fn new(owner: Owner) -> Self {
        Self {
            owner,
            cause: ArcSwapOption::empty(),
            not_before_ms: Latest::new(0),
            failures: Failures::new(),
            changes: Changes::default(),
            opened_at_ms: Latest::new(0),
            transitions: array::from_fn(|_| array::from_fn(|_| Counter::new())),
            rejected: Counter::new(),
            rejected_told: Latest::new(0),
            tell: Pace::new(TELL_REFUSALS_EVERY),
            counted: Repeats::new(FEW, WHILE),
        }
    }

    pub(super) fn backend(&self) -> &str {
        &self.owner.backend
    }

    pub(super) fn tool(&self) -> Option<&str> {
        self.owner.tool.as_deref()
    }

    /// Whether a failure that counts, at `at_ms`, is one of the few that are warned of one by one.
    pub(super) fn is_said(&self, at_ms: u64) -> bool {
        self.counted.again(at_ms).aloud
    }

    /// Keeps a cause. Called before the core hears of the failure: whoever is refused because of it finds the cause.
    pub(super) fn blame(&self, blame: &Blame<'_>, now_ms: u64) -> Arc<Cause> {
        let cause = Arc::new(blame.cause(now_ms));
        self.cause.store(Some(Arc::clone(&cause)));
        self.failures.push(Arc::clone(&cause));
        cause
    }

    /// The last failure, or the last word of an operator.
    pub(super) fn cause(&self) -> Option<Arc<Cause>> {
        self.cause.load_full()
    }

    /// Until when the backend has asked not to be called, now or before.
    pub(super) fn not_before_ms(&self, asked_ms: u64) -> u64 {
        let known_ms = self.not_before_ms.value();
        if asked_ms > known_ms {
            self.not_before_ms.set(asked_ms);
        }
        asked_ms.max(known_ms)
    }

    /// The last failures, oldest first.
    pub(super) fn failures(&self, count: usize) -> Vec<Arc<Cause>> {
        self.failures.latest(count)
    }

    /// The last changes, oldest first.
    pub(super) fn changes(&self) -> Arc<Vec<Arc<Change>>> {
        self.changes.all()
    }

    pub(super) fn opened(&self, now_ms: u64) {
        self.opened_at_ms.set(now_ms);
    }

    /// How long ago it opened; says something only while it is not closed.
    pub(super) fn open_for(&self, now_ms: u64) -> Duration {
        Duration::from_millis(now_ms.saturating_sub(self.opened_at_ms.value()))
    }

    /// Counts and keeps a change.
    pub(super) fn changed(&self, to: CircuitState, made: Made) {
        self.transitions[to.index()][made.cause.index()].add(1);
        self.changes.push(Change {
            at_ms: made.at_ms,
            to,
            cause: made.cause,
            trail: self.trail(made),
            latency: made.by.latency,
            request_id: made.by.request_id,
        });
    }

    /// What led to a change: slow calls, or failures.
    fn trail(&self, made: Made) -> Trail {
        let is_slow = |kind| kind == CauseKind::Slow;
        let mut causes = self.failures(KEPT);
        causes.retain(|cause| is_slow(cause.kind) == is_slow(made.cause));
        let older = causes.len().saturating_sub(made.failures as usize);
        Trail::of(made.failures, &causes[older..])
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

/// How a change came about.
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub(super) at_ms: u64,
    pub(super) cause: CauseKind,
    /// How many failures or slow calls led to it.
    pub(super) failures: u32,
    /// The call that made it.
    pub(super) by: Facts,
}
