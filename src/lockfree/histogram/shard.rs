//! The samples of one thread: a row of buckets and what they do not tell.

use std::array;
use std::ops::Range;

use crate::lockfree::histogram::buckets::{BUCKETS, HIGHEST_US, index_of};
use crate::lockfree::sync::{Atomic, Ordering};

// Every operation in this file is relaxed, and pairs with nothing: each number only grows, is read for its own sake and
// guards no other memory. Whoever needs an exact sum has to know by other means (a join, a channel) that the recorders rest;
// that means orders the numbers too.

/// Buckets that a sweep looks at together: most are empty, and a cache line of empty ones is passed over at once.
const STRIDE: usize = 8;

/// 21.5 KB, in cache lines of its own.
#[derive(Debug)]
pub(super) struct Shard {
    buckets: [Atomic<u64>; BUCKETS],
    /// All samples added up, in microseconds, longer ones than the last bucket as they were.
    sum_us: Atomic<u64>,
    clamped: Atomic<u64>,
    /// When the latest sample was recorded, in milliseconds, plus one; zero is never, and so is the last of all milliseconds.
    last_ms: Atomic<u64>,
}

/// What a shard knows besides its buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    pub(super) sum_us: u64,
    pub(super) clamped: u64,
    pub(super) last_ms: Option<u64>,
}

impl Shard {
    pub(super) fn new() -> Self {
        Self {
            buckets: array::from_fn(|_| Atomic::new(0)),
            sum_us: Atomic::new(0),
            clamped: Atomic::new(0),
            last_ms: Atomic::new(0),
        }
    }

    /// Records a sample on the one thread that writes to this shard. False if it has no bucket, and nothing was recorded.
    #[inline]
    pub(super) fn record_alone(&self, us: u64, now_ms: u64) -> bool {
        let Some(bucket) = self.buckets.get(index_of(us)) else {
            return false;
        };
        grow(&self.sum_us, us);
        // Relaxed: one writer.
        self.last_ms
            .store(now_ms.wrapping_add(1), Ordering::Relaxed);
        grow(bucket, 1);
        true
    }

    /// Records a sample on a shard that many threads write to.
    pub(super) fn record_shared(&self, us: u64, now_ms: u64) {
        // Relaxed, all four: a read-modify-write loses nothing whoever else writes.
        self.sum_us.fetch_add(us, Ordering::Relaxed);
        if us > HIGHEST_US {
            self.clamped.fetch_add(1, Ordering::Relaxed);
        }
        self.last_ms
            .fetch_max(now_ms.wrapping_add(1), Ordering::Relaxed);
        if let Some(bucket) = self.buckets.get(index_of(us.min(HIGHEST_US))) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn extras(&self) -> Extras {
        // Relaxed, all three: each stands for itself.
        Extras {
            sum_us: self.sum_us.load(Ordering::Relaxed),
            clamped: self.clamped.load(Ordering::Relaxed),
            last_ms: self.last_ms.load(Ordering::Relaxed).checked_sub(1),
        }
    }

    /// Adds what the buckets of all `shards` hold to `counts`. Several at a time, because each sum is then written once.
    pub(super) fn add_counts<const N: usize>(shards: [&Self; N], counts: &mut [u64; BUCKETS]) {
        for (index, count) in counts.iter_mut().enumerate() {
            // Relaxed: each count stands for itself.
            let held = shards.map(|shard| shard.buckets[index].load(Ordering::Relaxed));
            *count += held.iter().sum::<u64>();
        }
    }

    /// How many strides there are: the last may be a short one.
    pub(super) const STRIDES: usize = BUCKETS.div_ceil(STRIDE);

    /// The buckets of a stride.
    pub(super) fn places(stride: usize) -> Range<usize> {
        stride * STRIDE..BUCKETS.min((stride + 1) * STRIDE)
    }

    /// Whether no bucket of a stride holds a sample.
    #[inline]
    pub(super) fn is_empty(&self, stride: usize) -> bool {
        let (strides, rest) = self.buckets.as_chunks::<STRIDE>();
        match strides.get(stride) {
            // Of a known length: eight loads and no loop.
            Some(whole) => are_zero(whole),
            None => are_zero(rest),
        }
    }

    pub(super) fn count_of(&self, place: usize) -> u64 {
        // Relaxed: each count stands for itself.
        let bucket = self.buckets.get(place);
        bucket.map_or(0, |bucket| bucket.load(Ordering::Relaxed))
    }

    pub(super) fn count(&self) -> u64 {
        // Relaxed: each count stands for itself.
        let held = self.buckets.iter();
        held.map(|bucket| bucket.load(Ordering::Relaxed)).sum()
    }
}

impl Extras {
    pub(super) fn add(&mut self, other: Self) {
        self.sum_us = self.sum_us.wrapping_add(other.sum_us);
        self.clamped += other.clamped;
        self.last_ms = self.last_ms.max(other.last_ms);
    }
}

#[inline]
fn are_zero(buckets: &[Atomic<u64>]) -> bool {
    // Relaxed: each count stands for itself.
    let held = buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
    held.fold(0, |all, count| all | count) == 0
}

#[inline]
fn grow(cell: &Atomic<u64>, by: u64) {
    // Relaxed load, relaxed store: this thread is the only writer, so nothing can come between them.
    let before = cell.load(Ordering::Relaxed);
    cell.store(before.wrapping_add(by), Ordering::Relaxed);
}
