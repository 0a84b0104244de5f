//! The last ten seconds, the last minute: earlier totals, kept to be taken away from the present ones.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::lockfree::histogram::snapshot::{Snapshot, Totals};
use crate::lockfree::sync::Mutex;

/// A bounded row of earlier snapshots with their times. Costs the recorder nothing: only snapshots are kept,
/// each as its buckets in use (16 bytes each).
#[derive(Debug)]
pub struct SnapshotRing {
    kept: Mutex<Kept>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first.
    totals: VecDeque<(u64, Totals)>,
    /// Whether something older has been dropped.
    forgot: bool,
}

impl SnapshotRing {
    /// A ring that keeps the latest `capacity` snapshots, at least one.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            kept: Mutex::new(Kept::default()),
            capacity: capacity.max(1),
        }
    }

    /// Keeps what was recorded until `now_ms`; the oldest goes if the ring is full.
    pub fn push(&self, now_ms: u64, snapshot: &Snapshot) {
        let totals = snapshot.totals();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.totals.len() == self.capacity {
            kept.totals.pop_front();
            kept.forgot = true;
        }
        kept.totals.push_back((now_ms, totals));
    }

    /// What `current` has more than the latest snapshot that is at least `span_ms` old; everything, if none was ever that old;
    /// more than the oldest, if older ones were dropped.
    #[must_use]
    pub fn since(&self, now_ms: u64, span_ms: u64, current: &Snapshot) -> Snapshot {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let begin_ms = now_ms.checked_sub(span_ms);
        let old_enough =
            |(at_ms, _): &&(u64, Totals)| begin_ms.is_some_and(|begin| *at_ms <= begin);
        let base = kept.totals.iter().rev().find(old_enough);
        let oldest = || kept.totals.front().filter(|_| kept.forgot);
        match base.or_else(oldest) {
            Some((_, totals)) => current.minus(totals),
            None => current.clone(),
        }
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use crate::lockfree::Recorder;

    /// One success a second, each second told by its latency; a snapshot is pushed after each.
    fn a_minute(ring: &SnapshotRing) -> Snapshot {
        let recorder = Recorder::new();
        for second in 1..=60 {
            recorder.record_success(second, second * 1_000);
            ring.push(second * 1_000, &recorder.snapshot());
        }
        recorder.snapshot()
    }

    #[test]
    fn the_last_ten_seconds_are_the_difference_to_ten_seconds_ago() {
        let ring = SnapshotRing::new(60);
        let current = a_minute(&ring);
        let last = ring.since(60_000, 10_000, &current);
        assert_eq!(last.successes().len(), 10);
        assert_eq!(last.successes().min(), 51);
        assert_eq!(last.successes().max(), 60);
    }

    #[test]
    fn a_span_longer_than_the_life_of_the_ring_gives_everything() {
        let ring = SnapshotRing::new(60);
        let current = a_minute(&ring);
        assert_eq!(ring.since(60_000, 90_000, &current).successes().len(), 60);
        assert_eq!(ring.since(60_000, 59_999, &current).successes().len(), 60);
    }

    #[test]
    fn a_ring_for_none_keeps_the_latest_one() {
        let ring = SnapshotRing::new(0);
        let current = a_minute(&ring);
        assert!(ring.since(60_000, 1_000, &current).successes().is_empty());
        assert_eq!(ring.kept.lock().unwrap().totals.len(), 1);
    }

    #[test]
    fn a_full_ring_gives_at_least_what_it_still_knows() {
        let ring = SnapshotRing::new(5);
        let current = a_minute(&ring);
        assert_eq!(ring.since(60_000, 30_000, &current).successes().len(), 4);
    }
}
