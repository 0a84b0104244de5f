//! Single numbers that many threads write: a total, a level, and the latest value.

use crate::lockfree::sync::{Atomic, Ordering};

/// A total that only grows.
#[derive(Debug, Default)]
pub struct Counter(Atomic<u64>);

impl Counter {
    /// A counter at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        // Relaxed: a read-modify-write loses nothing, and the total guards no other memory; pairs with nothing.
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Adds one and returns the new total: numbers that nobody else gets.
    pub fn next(&self) -> u64 {
        // Relaxed: as in `add`.
        self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// The total so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        // Relaxed: one thread never sees the total shrink, and nobody reads other memory because of it.
        self.0.load(Ordering::Relaxed)
    }
}

/// A level that goes up and down, such as calls in flight.
#[derive(Debug, Default)]
pub struct Gauge(Atomic<u64>);

impl Gauge {
    /// A gauge at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub fn raise(&self) {
        // Relaxed: as in `Counter::add`.
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// One less.
    pub fn lower(&self) {
        // Relaxed: as in `Counter::add`. A `lower` seen before its `raise` wraps, which `level` shows as zero.
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// One less; true for the one that reaches zero.
    pub fn lower_to_zero(&self) -> bool {
        // Relaxed: all changes of one word have one order, so exactly one sees the last step; it guards no other memory.
        self.0.fetch_sub(1, Ordering::Relaxed) == 1
    }

    /// The level now; zero if more was lowered than raised.
    #[must_use]
    pub fn level(&self) -> u64 {
        // Relaxed: the level guards no other memory.
        let level = self.0.load(Ordering::Relaxed);
        if level > u64::MAX / 2 { 0 } else { level }
    }
}

/// The value that was set last, such as the time a session was used.
#[derive(Debug, Default)]
pub struct Latest(Atomic<u64>);

impl Latest {
    /// Starts with `value`.
    #[must_use]
    pub fn new(value: u64) -> Self {
        Self(Atomic::new(value))
    }

    /// Replaces the value.
    pub fn set(&self, value: u64) {
        // Relaxed: the value stands for itself and publishes no other memory.
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value that was set last, as far as this thread can see.
    #[must_use]
    pub fn value(&self) -> u64 {
        // Relaxed: see `set`.
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    #[test]
    fn a_counter_adds_up() {
        let counter = Counter::new();
        counter.add(2);
        counter.add(3);
        assert_eq!(counter.total(), 5);
        assert_eq!([counter.next(), counter.next()], [6, 7]);
        assert_eq!(counter.total(), 7);
    }

    #[test]
    fn a_gauge_goes_up_and_down_and_never_below_zero() {
        let gauge = Gauge::new();
        gauge.raise();
        gauge.raise();
        assert_eq!(gauge.level(), 2);
        gauge.lower();
        assert_eq!(gauge.level(), 1);
        gauge.lower();
        gauge.lower();
        assert_eq!(gauge.level(), 0);
        gauge.raise();
        gauge.raise();
        assert_eq!(gauge.level(), 1);
        gauge.raise();
        assert_eq!(
            [gauge.lower_to_zero(), gauge.lower_to_zero()],
            [false, true]
        );
    }

    #[test]
    fn latest_is_what_was_set_last() {
        let latest = Latest::new(1);
        latest.set(9);
        assert_eq!(latest.value(), 9);
    }
}
