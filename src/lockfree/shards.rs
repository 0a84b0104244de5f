//! One `T` for each thread that writes, so that none of them waits for another: made at a thread's first use.

use std::array;

use crossbeam_utils::CachePadded;

use crate::lockfree::lease::{self, SLOTS};
use crate::lockfree::sync::OnceLock;

/// Up to 64 shards with one writer each, and one more that all further threads share. 1 KB until a thread writes.
#[derive(Debug)]
pub(super) struct Shards<T> {
    /// Each has one writer: the thread that holds the lease of its index.
    leased: [Slot<T>; SLOTS],
    /// For threads that found no lease.
    shared: Slot<T>,
}

type Slot<T> = OnceLock<Box<CachePadded<T>>>;

/// The shard that a thread writes to.
#[derive(Debug)]
pub(super) enum Mine<'a, T> {
    /// Nobody else writes to it.
    Alone(&'a T),
    /// Threads that found no lease write to it together.
    Shared(&'a T),
}

impl<T> Shards<T> {
    /// The shard that this thread alone writes to, if it was made already. No lock, no allocation.
    #[inline]
    pub(super) fn known(&self) -> Option<&T> {
        self.leased
            .get(lease::known())
            .and_then(OnceLock::get)
            .map(|shard| &***shard)
    }

    /// The shard of this thread, made if need be. Takes a lock at a thread's first call in all, never after.
    pub(super) fn mine(&self, make: impl FnOnce() -> T) -> Mine<'_, T> {
        match lease::index().and_then(|index| self.leased.get(index)) {
            Some(slot) => Mine::Alone(made(slot, make)),
            None => Mine::Shared(made(&self.shared, make)),
        }
    }

    /// Every shard that was made so far.
    pub(super) fn made(&self) -> impl Iterator<Item = &T> {
        let slots = self.leased.iter().chain([&self.shared]);
        slots.filter_map(OnceLock::get).map(|shard| &***shard)
    }
}

fn made<T>(slot: &Slot<T>, make: impl FnOnce() -> T) -> &T {
    slot.get_or_init(|| Box::new(CachePadded::new(make())))
}

impl<T> Default for Shards<T> {
    fn default() -> Self {
        Self {
            leased: array::from_fn(|_| OnceLock::new()),
            shared: OnceLock::new(),
        }
    }
}
