//! The native histogram: buckets whose bounds grow by a fixed factor, of which only those in use are written
//! (<https://prometheus.io/docs/specs/native_histograms/>).

use std::{mem::take, sync::LazyLock};

use crate::lockfree::HIGHEST_US;

/// Each bound is the one before it times 2^(1/8), which is 9 %.
pub(super) const SCHEMA: i32 = 3;
/// What is shorter counts as zero: the default of the Prometheus clients, 2^-128 s, so that only zero itself does.
pub(super) const ZERO_THRESHOLD: f64 = 2.938_735_877_055_719e-39;

const PER_DOUBLING: i32 = 1 << SCHEMA;
/// The bucket of the shortest latency that is not zero, 1 us.
const LOWEST: i32 = -159;
/// The bucket of the longest one, [`HIGHEST_US`].
const HIGHEST: i32 = 57;

/// The upper bound of each bucket from [`LOWEST`] to [`HIGHEST`], in whole microseconds.
static BOUNDS: LazyLock<Vec<u64>> = LazyLock::new(|| (LOWEST..=HIGHEST).map(bound_us).collect());

/// A histogram as it is written, filled bucket by bucket. Samples are added in the order of their latency.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Native {
    pub(super) zeros: u64,
    pub(super) spans: Vec<Span>,
    /// The count of each bucket less that of the one before it.
    pub(super) deltas: Vec<i64>,
    /// The bucket that was added to last, from [`LOWEST`] on, and what it and the one before it hold.
    place: usize,
    held: i64,
    before: i64,
}

/// Buckets that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The place of the first one; from the end of the span before it, if there is one.
    pub(super) offset: i32,
    pub(super) length: u32,
}

impl Native {
    /// Makes it an empty one that keeps its memory.
    pub(super) fn restart(&mut self) {
        let (mut spans, mut deltas) = (take(&mut self.spans), take(&mut self.deltas));
        spans.clear();
        deltas.clear();
        *self = Self {
            spans,
            deltas,
            ..Self::default()
        };
    }

    /// Adds samples that are at most so long, in microseconds, and no shorter than those before.
    pub(super) fn add(&mut self, us: u64, samples: u64) {
        if us == 0 {
            self.zeros += samples;
            return;
        }
        let us = us.min(HIGHEST_US);
        let earlier = self.place;
        while BOUNDS.get(self.place).is_some_and(|bound| *bound < us) {
            self.place += 1;
        }
        if self.spans.is_empty() || self.place != earlier {
            self.enter(self.place - earlier);
        }
        self.held += i64::try_from(samples).unwrap_or(i64::MAX);
        if let Some(delta) = self.deltas.last_mut() {
            *delta = self.held - self.before;
        }
    }

    /// Begins a bucket that is `steps` after the last one.
    fn enter(&mut self, steps: usize) {
        self.before = self.held;
        self.held = 0;
        self.deltas.push(0);
        let steps = i32::try_from(steps).unwrap_or(i32::MAX);
        let offset = match self.spans.last_mut() {
            Some(span) if steps == 1 => {
                span.length += 1;
                return;
            }
            Some(_) => steps - 1,
            None => LOWEST + steps,
        };
        self.spans.push(Span { offset, length: 1 });
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and below 2^28"
)]
fn bound_us(place: i32) -> u64 {
    let seconds = (f64::from(place) / f64::from(PER_DOUBLING)).exp2();
    (seconds * 1e6) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(samples: &[u64]) -> Native {
        let mut native = Native::default();
        samples.iter().for_each(|us| native.add(*us, 1));
        native
    }

    #[test]
    fn the_first_and_the_last_bucket_hold_the_shortest_and_the_longest_latency() {
        assert_eq!((BOUNDS[0], bound_us(LOWEST - 1)), (1, 0));
        assert!(bound_us(HIGHEST) >= HIGHEST_US && bound_us(HIGHEST - 1) < HIGHEST_US);
        assert_eq!(bound_us(0), 1_000_000);
        assert_eq!(bound_us(8), 2_000_000);
    }

    #[test]
    fn neighbours_share_a_span_and_others_are_so_far_apart_as_is_said() {
        // 1 s is the last of bucket 0; 2^(1/8) s = 1.0905 s ends bucket 1, 2^(2/8) s = 1.189 s bucket 2; 4 s ends bucket 16.
        let native = of(&[0, 990_000, 1_050_000, 1_060_000, 3_900_000]);
        assert_eq!(native.zeros, 1);
        let span = |offset, length| Span { offset, length };
        assert_eq!(native.spans, [span(0, 2), span(14, 1)]);
        assert_eq!(native.deltas, [1, 1, -1]);
    }

    #[test]
    fn the_shortest_and_the_longest_have_a_bucket_and_what_falls_together_is_added_up() {
        let native = of(&[1, 1, 990_000, 990_000, HIGHEST_US]);
        assert_eq!(native.deltas, [2, 0, -1]);
        let offsets: Vec<_> = native.spans.iter().map(|span| span.offset).collect();
        assert_eq!(offsets, [LOWEST, -LOWEST - 1, HIGHEST - 1]);
    }

    #[test]
    fn nothing_recorded_is_nothing_written() {
        assert_eq!(of(&[]), Native::default());
    }
}
