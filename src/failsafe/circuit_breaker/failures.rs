//! The last failures with their reasons, kept without a lock: a failure pays for its own record.

use std::{array, sync::Arc};

use arc_swap::ArcSwapOption;

use crate::{failsafe::circuit_breaker::cause::Cause, lockfree::Counter};

/// Failures that are kept.
pub(super) const KEPT: usize = 64;

/// A ring of the last failures. Of failures at the same moment each has a place of its own.
#[derive(Debug)]
pub(super) struct Failures {
    written: Counter,
    slots: [ArcSwapOption<Cause>; KEPT],
}

impl Failures {
    pub(super) fn new() -> Self {
        Self {
            written: Counter::new(),
            slots: array::from_fn(|_| ArcSwapOption::empty()),
        }
    }

    pub(super) fn push(&self, cause: Arc<Cause>) {
        if let Some(slot) = self.slot(self.written.next()) {
            slot.store(Some(cause));
        }
    }

    /// The last `count` failures, as far as they are kept, oldest first. One that is being written may be missing.
    pub(super) fn latest(&self, count: usize) -> Vec<Arc<Cause>> {
        let written = self.written.total();
        let count = count.min(KEPT) as u64;
        (written.saturating_sub(count)..written)
            .filter_map(|before| self.slot(before + 1)?.load_full())
            .collect()
    }

    /// The place of failure `number`, counted from one.
    fn slot(&self, number: u64) -> Option<&ArcSwapOption<Cause>> {
        self.slots
            .get(usize::try_from(number % KEPT as u64).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failsafe::circuit_breaker::cause::{Blame, CauseKind};

    fn cause(at_ms: u64) -> Arc<Cause> {
        Arc::new(Blame::new(CauseKind::Reported, &"it broke").cause(at_ms))
    }

    fn moments(failures: &Failures, count: usize) -> Vec<u64> {
        let latest = failures.latest(count);
        latest.iter().map(|cause| cause.at_ms).collect()
    }

    #[test]
    fn the_last_ones_are_kept_oldest_first() {
        let failures = Failures::new();
        assert!(moments(&failures, 9).is_empty());
        (0..100).for_each(|at_ms| failures.push(cause(at_ms)));
        assert_eq!(moments(&failures, 3), [97, 98, 99]);
        assert_eq!(moments(&failures, 999), (36..100).collect::<Vec<_>>());
    }

    #[test]
    fn failures_at_once_have_a_place_each() {
        let failures = Failures::new();
        std::thread::scope(|threads| {
            for thread in 0..8 {
                let failures = &failures;
                threads.spawn(move || (0..8).for_each(|n| failures.push(cause(thread * 8 + n))));
            }
        });
        let mut all = moments(&failures, KEPT);
        all.sort_unstable();
        assert_eq!(all, (0..64).collect::<Vec<_>>());
    }
}
