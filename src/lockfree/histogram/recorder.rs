//! The latencies of one backend, successes and failures apart.

use crate::lockfree::histogram::shard::Shard;
use crate::lockfree::histogram::snapshot::{Snapshot, Tally};
use crate::lockfree::shards::{Mine, Shards};

/// Records latencies from any number of threads, without a lock, a wait or a read-modify-write.
///
/// Memory: 2 KB, and 21.5 KB for each thread that has recorded a success, and again for each that has recorded a failure;
/// never more than 65 of each (64 threads that live at the same time, and one shard for all further ones).
/// A thread's first record makes its shard; later ones allocate nothing.
#[derive(Debug, Default)]
pub struct Recorder {
    successes: Shards<Shard>,
    failures: Shards<Shard>,
}

impl Recorder {
    /// A recorder without samples; it makes its shards when they are needed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records a success that took `latency_us` and ended at `now_ms`.
    #[inline]
    pub fn record_success(&self, latency_us: u64, now_ms: u64) {
        self.successes.record(latency_us, now_ms);
    }

    /// Records a failure that took `latency_us` and ended at `now_ms`.
    #[inline]
    pub fn record_failure(&self, latency_us: u64, now_ms: u64) {
        self.failures.record(latency_us, now_ms);
    }

    /// How many successes and failures are recorded: the sums of their buckets.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.successes.count(), self.failures.count())
    }

    /// Every shard that was made so far.
    pub(super) fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.successes.made().chain(self.failures.made())
    }

    /// When the latest sample was recorded, as the recorder was told; none if there was none. A few loads, where a snapshot
    /// reads every bucket.
    #[must_use]
    pub fn last_ms(&self) -> Option<u64> {
        self.successes.last_ms().max(self.failures.last_ms())
    }

    /// Everything recorded so far, merged. Exact once recorders rest; meanwhile each sample is in it once or not yet.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.successes.tally(), self.failures.tally())
    }
}

impl Shards<Shard> {
    #[inline]
    fn record(&self, us: u64, now_ms: u64) {
        match self.known() {
            Some(shard) if shard.record_alone(us, now_ms) => {}
            _ => self.record_unusual(us, now_ms),
        }
    }

    /// A thread's first sample here, a thread without a lease, or a sample beyond the last bucket.
    #[cold]
    fn record_unusual(&self, us: u64, now_ms: u64) {
        match self.mine(Shard::new) {
            Mine::Alone(shard) if shard.record_alone(us, now_ms) => {}
            // A sample without a bucket is rare: what two threads may do at once one may do too.
            Mine::Alone(shard) | Mine::Shared(shard) => shard.record_shared(us, now_ms),
        }
    }

    fn count(&self) -> u64 {
        self.made().map(Shard::count).sum()
    }

    fn last_ms(&self) -> Option<u64> {
        self.made().filter_map(|shard| shard.extras().last_ms).max()
    }

    fn tally(&self) -> Tally {
        Tally::merged(self.made())
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::lockfree::histogram::buckets::HIGHEST_US;
    use crate::lockfree::histogram::shard::Extras;
    use crate::lockfree::lease::SLOTS;

    #[test]
    fn successes_and_failures_are_kept_apart() {
        let recorder = Recorder::new();
        recorder.record_success(100, 5);
        recorder.record_success(200, 6);
        recorder.record_failure(9, 7);
        assert_eq!(recorder.counts(), (2, 1));
        assert_eq!(recorder.last_ms(), Some(7));
        let snapshot = recorder.snapshot();
        assert_eq!(snapshot.successes().len(), 2);
        assert_eq!(snapshot.failures().len(), 1);
        assert_eq!(snapshot.success_sum_us(), 300);
        assert_eq!(snapshot.failure_sum_us(), 9);
        assert_eq!(snapshot.last_success_ms(), Some(6));
        assert_eq!(snapshot.last_failure_ms(), Some(7));
    }

    #[test]
    fn a_fresh_recorder_has_never_seen_anything() {
        let snapshot = Recorder::new().snapshot();
        assert_eq!(snapshot.last_success_ms(), None);
        assert_eq!(snapshot.last_failure_ms(), None);
        assert!(snapshot.successes().is_empty());
        assert_eq!(Shard::new().extras(), Extras::default());
    }

    #[test]
    fn a_recorder_and_its_shards_are_as_large_as_is_said() {
        assert_eq!(size_of::<Recorder>(), 2 * 65 * 16);
        assert_eq!(size_of::<Shard>(), (2_688 + 3) * 8);
    }

    #[test]
    fn a_sample_beyond_the_last_bucket_is_kept_in_it_and_counted_as_clamped() {
        let recorder = Recorder::new();
        recorder.record_success(HIGHEST_US, 0);
        recorder.record_success(HIGHEST_US + 1, 0);
        recorder.record_failure(u64::MAX, 0);
        let snapshot = recorder.snapshot();
        assert_eq!(snapshot.clamped(), 2);
        assert_eq!(snapshot.successes().len(), 2);
        assert_eq!(snapshot.success_sum_us(), 2 * HIGHEST_US + 1);
    }

    #[test]
    fn a_shared_shard_counts_as_clamped_what_has_no_bucket_and_nothing_else() {
        let shard = Shard::new();
        shard.record_shared(HIGHEST_US, 0);
        assert_eq!(shard.extras().clamped, 0);
        shard.record_shared(HIGHEST_US + 1, 0);
        assert_eq!(shard.extras().clamped, 1);
    }

    #[test]
    fn more_threads_than_shards_lose_nothing() {
        let recorder = Recorder::new();
        let threads = SLOTS as u64 + 8;
        let together = Barrier::new(SLOTS + 8);
        thread::scope(|scope| {
            for id in 0..threads {
                let (recorder, together) = (&recorder, &together);
                scope.spawn(move || {
                    recorder.record_success(id, id);
                    together.wait();
                    (0..999).for_each(|_| recorder.record_success(id, id));
                });
            }
        });
        let snapshot = recorder.snapshot();
        assert_eq!(snapshot.successes().len(), threads * 1_000);
        assert_eq!(
            snapshot.success_sum_us(),
            threads * (threads - 1) / 2 * 1_000
        );
        assert_eq!(snapshot.last_success_ms(), Some(threads - 1));
    }

    #[test]
    fn threads_that_follow_each_other_share_a_few_shards_and_lose_nothing() {
        let recorder = Recorder::new();
        for _ in 0..200 {
            thread::scope(|scope| {
                scope.spawn(|| recorder.record_success(7, 0));
            });
        }
        assert_eq!(recorder.counts(), (200, 0));
    }
}
