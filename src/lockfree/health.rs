//! Is the backend healthy? The consecutive-failure count *is* the flag, so the two cannot disagree.

use crate::lockfree::sync::{Atomic, Ordering};

/// Health of one backend in one word: unhealthy from `threshold` consecutive failures on, healthy again at the first success.
#[derive(Debug)]
pub struct HealthWord {
    failures: Atomic<u64>,
    threshold: u64,
}

/// The change that one result made; the caller that gets it is the only one that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthChange {
    /// This failure was the one that reached the threshold.
    BecameUnhealthy {
        /// Consecutive failures, this one included.
        failures: u64,
    },
    /// This success ended a row of failures that had reached the threshold.
    BecameHealthy,
}

impl HealthWord {
    /// Starts healthy. A `threshold` of zero is taken as one.
    #[must_use]
    pub fn new(threshold: u32) -> Self {
        Self {
            failures: Atomic::new(0),
            threshold: u64::from(threshold.max(1)),
        }
    }

    /// Counts a failure.
    pub fn failure(&self) -> Option<HealthChange> {
        // AcqRel: what the failing caller wrote before is seen by whoever ends the row, reads the count or makes it reach the
        // threshold; pairs with itself, with the swap in `success` and with the load in `consecutive_failures`.
        let failures = self.failures.fetch_add(1, Ordering::AcqRel) + 1;
        (failures == self.threshold).then_some(HealthChange::BecameUnhealthy { failures })
    }

    /// Counts a success: the row of failures is over. Writes nothing if there was none.
    pub fn success(&self) -> Option<HealthChange> {
        // Relaxed: a caller that knows of a failure never sees a zero from before it, and a zero ends nothing; what ends a row is
        // the swap below.
        if self.failures.load(Ordering::Relaxed) == 0 {
            return None;
        }
        // AcqRel: only one swap can take a row of failures, and who takes it sees what the failing callers wrote; pairs with
        // `failure` and with the load of `consecutive_failures`.
        let ended = self.failures.swap(0, Ordering::AcqRel);
        (ended >= self.threshold).then_some(HealthChange::BecameHealthy)
    }

    /// Whether fewer failures in a row than the threshold are on record.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.consecutive_failures() < self.threshold
    }

    /// Failures since the last success.
    #[must_use]
    pub fn consecutive_failures(&self) -> u64 {
        // Acquire: a reader that sees the count also sees what the failing caller wrote before; pairs with `failure`.
        self.failures.load(Ordering::Acquire)
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    #[test]
    fn the_third_failure_in_a_row_makes_it_unhealthy_and_says_so_once() {
        let health = HealthWord::new(3);
        assert_eq!(health.failure(), None);
        assert_eq!(health.failure(), None);
        assert!(health.is_healthy());
        assert_eq!(
            health.failure(),
            Some(HealthChange::BecameUnhealthy { failures: 3 })
        );
        assert!(!health.is_healthy());
        assert_eq!(health.failure(), None);
        assert_eq!(health.consecutive_failures(), 4);
    }

    #[test]
    fn the_first_success_makes_it_healthy_again_and_says_so_once() {
        let health = HealthWord::new(1);
        health.failure();
        assert_eq!(health.success(), Some(HealthChange::BecameHealthy));
        assert_eq!(health.success(), None);
        assert!(health.is_healthy());
    }

    #[test]
    fn a_threshold_of_zero_is_one() {
        let health = HealthWord::new(0);
        assert!(health.is_healthy());
        let fallen = HealthChange::BecameUnhealthy { failures: 1 };
        assert_eq!(health.failure(), Some(fallen));
        assert!(!health.is_healthy());
    }

    #[test]
    fn a_success_ends_a_row_that_had_not_reached_the_threshold_without_a_word() {
        let health = HealthWord::new(2);
        health.failure();
        assert_eq!(health.success(), None);
        assert_eq!(health.failure(), None);
        assert!(health.is_healthy());
    }
}
