//! Which row of the heatmap a latency falls into: two rows for each doubling, from 32 µs to 134 s.

use hdrhistogram::Histogram;

use crate::lockfree::{HIGHEST_US, Snapshot};

/// The doubling that the second row begins with: 32 µs. Everything shorter is in the first.
const FIRST_BITS: u32 = 5;
const LAST_BITS: u32 = HIGHEST_US.ilog2();

/// How many rows there are.
pub(super) const BINS: usize = ((LAST_BITS - FIRST_BITS + 1) * 2 + 1) as usize;

/// How many calls fell into each row, since the start or within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bins([u64; BINS]);

impl Bins {
    pub(super) const NONE: Self = Self([0; BINS]);

    /// All calls of a snapshot, those that failed too.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut bins = Self::NONE;
        bins.take(snapshot.successes());
        bins.take(snapshot.failures());
        bins
    }

    fn take(&mut self, latencies: &Histogram<u64>) {
        for step in latencies.iter_recorded() {
            if let Some(count) = self.0.get_mut(bin_of(step.value_iterated_to())) {
                *count += step.count_since_last_iteration();
            }
        }
    }

    /// What these have more than earlier ones.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        Self(std::array::from_fn(|bin| {
            self.0[bin].saturating_sub(earlier.0[bin])
        }))
    }

    /// The rows in use.
    fn used(&self) -> impl Iterator<Item = (u8, u64)> {
        let rows = (0_u8..).zip(self.0);
        rows.filter(|(_, count)| *count > 0)
    }

    /// The rows in use: number, count, number, count.
    pub(super) fn flat(&self) -> Vec<u64> {
        self.used()
            .flat_map(|(bin, count)| [bin.into(), count])
            .collect()
    }
}

/// The rows in use alone, rising: what is kept for a quarter of an hour.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse(Vec<(u8, u32)>);

impl Sparse {
    pub(super) fn add(&mut self, bins: &Bins) {
        for (bin, count) in bins.used() {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            match self.0.binary_search_by_key(&bin, |(known, _)| *known) {
                Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(count),
                Err(place) => self.0.insert(place, (bin, count)),
            }
        }
    }

    /// As [`Bins::flat`].
    pub(super) fn flat(&self) -> Vec<u64> {
        let rows = self.0.iter();
        rows.flat_map(|(bin, count)| [u64::from(*bin), u64::from(*count)])
            .collect()
    }
}

fn bin_of(us: u64) -> usize {
    let us = us.clamp(1, HIGHEST_US);
    let bits = us.ilog2();
    if bits < FIRST_BITS {
        return 0;
    }
    // The upper half of a doubling begins at the square root of two.
    let upper = u32::from((us * us) >> (2 * bits + 1) > 0);
    ((bits - FIRST_BITS) * 2 + upper + 1) as usize
}

/// Where each row begins, in microseconds.
pub(super) fn edges_us() -> Vec<f64> {
    let halves = 2 * FIRST_BITS..2 * (LAST_BITS + 1);
    let edge = |half| (f64::from(half) * 0.5).exp2();
    std::iter::once(0.0).chain(halves.map(edge)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfree::Recorder;

    #[test]
    fn every_latency_falls_into_the_row_that_begins_below_it() {
        let edges = edges_us();
        assert_eq!(edges.len(), BINS);
        for us in [
            0, 1, 31, 32, 45, 46, 64, 90, 91, 1_000, 1_000_000, HIGHEST_US,
        ] {
            let bin = bin_of(us);
            let exact = f64::from(u32::try_from(us).unwrap());
            assert!(edges[bin] <= exact, "{us}");
            assert!(edges.get(bin + 1).is_none_or(|next| exact < *next), "{us}");
        }
        assert_eq!(bin_of(u64::MAX), BINS - 1);
    }

    #[test]
    fn what_came_between_two_looks_is_their_difference() {
        let recorder = Recorder::new();
        recorder.record_success(100, 0);
        let earlier = Bins::of(&recorder.snapshot());
        recorder.record_success(100, 0);
        recorder.record_failure(5_000, 0);
        let between = Bins::of(&recorder.snapshot()).since(&earlier);
        let rows = [bin_of(100), bin_of(5_000)].map(|row| row as u64);
        assert_eq!(between.flat(), [rows[0], 1, rows[1], 1]);
        let mut sum = Sparse::default();
        sum.add(&between);
        sum.add(&between);
        assert_eq!(sum.flat(), [rows[0], 2, rows[1], 2]);
    }
}
