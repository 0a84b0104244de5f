//! Reads a recorder without making a histogram of it: what a page with thousands of recorders can afford.

use crate::lockfree::histogram::buckets::lowest_of;
use crate::lockfree::histogram::recorder::Recorder;
use crate::lockfree::histogram::shard::Shard;

impl Recorder {
    /// Shows each bucket in use, latencies rising: the longest latency that it holds, in microseconds, and how many samples are
    /// in it, successes and failures together. Returns all latencies added up, in microseconds, exact.
    ///
    /// Like a snapshot it blocks nobody, has each sample once or not yet, and is exact once recorders rest.
    pub fn sweep(&self, mut show: impl FnMut(u64, u64)) -> u64 {
        let shards: Vec<&Shard> = self.shards().collect();
        for stride in 0..Shard::STRIDES {
            if shards.iter().all(|shard| shard.is_empty(stride)) {
                continue;
            }
            for place in Shard::places(stride) {
                let held = shards.iter().map(|shard| shard.count_of(place)).sum();
                if held > 0 {
                    show(lowest_of(place + 1) - 1, held);
                }
            }
        }
        let sums = shards.iter().map(|shard| shard.extras().sum_us);
        sums.fold(0, u64::wrapping_add)
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use crate::lockfree::HIGHEST_US;

    #[test]
    fn a_sweep_shows_what_a_snapshot_holds() {
        let recorder = Recorder::new();
        for power in 0..28 {
            recorder.record_success(1 << power, 0);
            recorder.record_failure((1 << power) + 1, 0);
            recorder.record_failure(3 << power, 0);
        }
        recorder.record_success(0, 0);
        recorder.record_success(HIGHEST_US, 0);
        let mut swept = Vec::new();
        let sum = recorder.sweep(|us, held| swept.push((us, held)));
        let snapshot = recorder.snapshot();
        let mut both = snapshot.successes().clone();
        both.add(snapshot.failures()).unwrap();
        let expected: Vec<_> = both
            .iter_recorded()
            .map(|step| (step.value_iterated_to(), step.count_at_value()))
            .collect();
        assert_eq!(swept, expected);
        assert_eq!(sum, snapshot.success_sum_us() + snapshot.failure_sum_us());
    }

    #[test]
    fn a_fresh_recorder_shows_nothing() {
        let sum = Recorder::new().sweep(|us, held| panic!("{us}: {held}"));
        assert_eq!(sum, 0);
    }
}
