//! What the shards of a recorder add up to, at one moment or between two.

use hdrhistogram::Histogram;

use crate::lockfree::histogram::buckets::{BUCKETS, HIGHEST_US, lowest_of};
use crate::lockfree::histogram::shard::{Extras, Shard};

/// Merged latencies in microseconds, each to within 0.8 %.
#[derive(Clone, Debug)]
pub struct Snapshot {
    successes: Tally,
    failures: Tally,
}

/// One half of a snapshot.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    histogram: Histogram<u64>,
    extras: Extras,
}

/// A snapshot without its empty buckets: what a ring keeps.
#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    successes: Sparse,
    failures: Sparse,
}

#[derive(Clone, Debug, Default)]
struct Sparse {
    /// Latency and count of each bucket in use, latencies rising.
    counts: Vec<(u64, u64)>,
    extras: Extras,
}

impl Snapshot {
    pub(super) const fn new(successes: Tally, failures: Tally) -> Self {
        Self {
            successes,
            failures,
        }
    }

    /// The latencies of successes, in microseconds.
    #[must_use]
    pub const fn successes(&self) -> &Histogram<u64> {
        &self.successes.histogram
    }

    /// The latencies of failures, in microseconds.
    #[must_use]
    pub const fn failures(&self) -> &Histogram<u64> {
        &self.failures.histogram
    }

    /// All latencies of successes added up, in microseconds, exact.
    #[must_use]
    pub const fn success_sum_us(&self) -> u64 {
        self.successes.extras.sum_us
    }

    /// All latencies of failures added up, in microseconds, exact.
    #[must_use]
    pub const fn failure_sum_us(&self) -> u64 {
        self.failures.extras.sum_us
    }

    /// When the latest success was recorded, as the recorder was told; none if there was none.
    #[must_use]
    pub const fn last_success_ms(&self) -> Option<u64> {
        self.successes.extras.last_ms
    }

    /// When the latest failure was recorded, as the recorder was told; none if there was none.
    #[must_use]
    pub const fn last_failure_ms(&self) -> Option<u64> {
        self.failures.extras.last_ms
    }

    /// How many samples were longer than [`HIGHEST_US`] and stand in its bucket.
    #[must_use]
    pub const fn clamped(&self) -> u64 {
        self.successes.extras.clamped + self.failures.extras.clamped
    }

    /// What was recorded after `earlier`, a snapshot of the same recorder. The times of the latest results stay as they are.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        self.minus(&earlier.totals())
    }

    pub(super) fn minus(&self, earlier: &Totals) -> Self {
        Self {
            successes: self.successes.minus(&earlier.successes),
            failures: self.failures.minus(&earlier.failures),
        }
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            successes: self.successes.sparse(),
            failures: self.failures.sparse(),
        }
    }
}

impl Tally {
    pub(super) fn merged<'a>(shards: impl Iterator<Item = &'a Shard>) -> Self {
        let mut counts = Box::new([0_u64; BUCKETS]);
        let mut extras = Extras::default();
        let shards: Vec<&Shard> = shards.inspect(|shard| extras.add(shard.extras())).collect();
        let (fours, rest) = shards.as_chunks::<4>();
        for four in fours {
            Shard::add_counts(*four, &mut counts);
        }
        for shard in rest {
            Shard::add_counts([*shard], &mut counts);
        }
        let used = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        Self::of(
            used.map(|(index, count)| (lowest_of(index), *count)),
            extras,
        )
    }

    /// Of counts that are not zero.
    fn of(counts: impl Iterator<Item = (u64, u64)>, extras: Extras) -> Self {
        let mut histogram = empty();
        for (us, count) in counts {
            histogram.saturating_record_n(us, count);
        }
        Self { histogram, extras }
    }

    fn minus(&self, earlier: &Sparse) -> Self {
        let mut before = earlier.counts.iter().copied().peekable();
        let counts = self.counts().map(|(us, count)| {
            while before.next_if(|(earlier_us, _)| *earlier_us < us).is_some() {}
            let known = before.next_if(|(earlier_us, _)| *earlier_us == us);
            // Totals only grow, but two snapshots of different threads may see that in different order.
            (
                us,
                count.saturating_sub(known.map_or(0, |(_, count)| count)),
            )
        });
        let counts = counts.filter(|(_, count)| *count > 0);
        let extras = Extras {
            sum_us: self.extras.sum_us.saturating_sub(earlier.extras.sum_us),
            clamped: self.extras.clamped.saturating_sub(earlier.extras.clamped),
            last_ms: self.extras.last_ms,
        };
        Self::of(counts, extras)
    }

    fn sparse(&self) -> Sparse {
        Sparse {
            counts: self.counts().collect(),
            extras: self.extras,
        }
    }

    /// The lowest latency and the count of each bucket in use, latencies rising.
    fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let lowest = |us| self.histogram.lowest_equivalent(us);
        self.histogram
            .iter_recorded()
            .map(move |at| (lowest(at.value_iterated_to()), at.count_at_value()))
    }
}

#[expect(
    clippy::expect_used,
    reason = "the bounds are constants, and every test of this floor builds them"
)]
fn empty() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST_US, 2).expect("constant bounds that fit")
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lockfree::Recorder;

    fn expected(samples: &[u64]) -> Histogram<u64> {
        let mut histogram = empty();
        for us in samples {
            histogram.saturating_record(*us);
        }
        histogram
    }

    fn recorded(recorder: &Recorder, samples: &[u64]) -> Snapshot {
        for us in samples {
            recorder.record_success(*us, 0);
        }
        recorder.snapshot()
    }

    fn same(ours: &Histogram<u64>, theirs: &Histogram<u64>) {
        assert_eq!(ours.len(), theirs.len());
        let spread = (0..=50_u32).map(|part| f64::from(part) / 50.0);
        for quantile in spread.chain([0.001, 0.95, 0.99, 0.999]) {
            assert_eq!(
                ours.value_at_quantile(quantile),
                theirs.value_at_quantile(quantile),
                "at {quantile}"
            );
        }
        assert_eq!(ours.mean(), theirs.mean());
        assert_eq!(ours.stdev(), theirs.stdev());
        assert_eq!(ours.max(), theirs.max());
    }

    /// Latencies of every size: as many between 1 and 2 us as between 1 and 2 minutes.
    fn latency() -> impl Strategy<Value = u64> {
        (0..30_u32, any::<u64>()).prop_map(|(bits, noise)| (1 << bits) | noise & ((1 << bits) - 1))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_snapshot_equals_an_hdrhistogram_fed_the_same_values(samples in prop::collection::vec(latency(), 1..400)) {
            let snapshot = recorded(&Recorder::new(), &samples);
            same(snapshot.successes(), &expected(&samples));
            prop_assert_eq!(snapshot.success_sum_us(), samples.iter().sum::<u64>());
        }

        #[test]
        fn a_difference_holds_what_came_between(
            before in prop::collection::vec(latency(), 0..200),
            after in prop::collection::vec(latency(), 1..200),
        ) {
            let recorder = Recorder::new();
            let earlier = recorded(&recorder, &before);
            let between = recorded(&recorder, &after).since(&earlier);
            same(between.successes(), &expected(&after));
            prop_assert_eq!(between.success_sum_us(), after.iter().sum::<u64>());
            prop_assert_eq!(between.clamped(), after.iter().filter(|us| **us > HIGHEST_US).count() as u64);
        }
    }

    #[test]
    fn what_came_after_a_later_snapshot_is_nothing() {
        let recorder = Recorder::new();
        let earlier = recorded(&recorder, &[5, HIGHEST_US + 1]);
        let later = recorded(&recorder, &[5, HIGHEST_US + 1]);
        let between = earlier.since(&later);
        assert!(between.successes().is_empty());
        assert_eq!((between.success_sum_us(), between.clamped()), (0, 0));
    }

    #[test]
    fn zero_is_a_latency_too() {
        let snapshot = recorded(&Recorder::new(), &[0, 0, 1]);
        same(snapshot.successes(), &expected(&[0, 0, 1]));
    }
}
