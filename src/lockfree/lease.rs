//! Which shard a thread may write alone: an index that it leases at its first record and hands back when it ends.

use std::cell::Cell;
use std::sync::PoisonError;

use crate::lockfree::sync::{Mutex, per_process, per_thread};

/// How many threads can have a shard of their own at a time; the others share one more.
pub(super) const SLOTS: usize = if cfg!(loom) { 1 } else { 64 };

/// Not yet asked for.
const UNKNOWN: usize = usize::MAX;
/// Asked for in vain.
const NONE: usize = usize::MAX - 1;

// One bit per index that is leased. The lock orders the last write of one holder before the first of the next.
per_process!(leased: Mutex<u64> = Mutex::new(0));
per_thread!(INDEX: Cell<usize> = Cell::new(UNKNOWN));
per_thread!(LEASE: Lease = Lease(Cell::new(None)));

/// Hands its index back when the thread ends.
struct Lease(Cell<Option<Held>>);

#[derive(Clone, Copy)]
struct Held {
    index: usize,
    of: &'static Mutex<u64>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // What this thread still records while it ends goes to the shared shard.
        remember(NONE);
        if let Some(held) = self.0.take() {
            held.hand_back();
        }
    }
}

/// The index that this thread is known to hold, below [`SLOTS`]; anything else means: ask [`index`].
#[inline]
pub(super) fn known() -> usize {
    INDEX.try_with(Cell::get).unwrap_or(NONE)
}

/// The index that this thread may write alone, if it holds one. Takes a lock at a thread's first call, never after.
pub(super) fn index() -> Option<usize> {
    let held = match known() {
        UNKNOWN => first(),
        known => known,
    };
    (held < SLOTS).then_some(held)
}

fn first() -> usize {
    let held = LEASE.try_with(|lease| {
        lease.0.set(Held::take(leased()));
        lease.0.get()
    });
    let index = held.ok().flatten().map_or(NONE, |held| held.index);
    remember(index);
    index
}

fn remember(index: usize) {
    // A thread whose locals are gone asks for its index in vain and writes to the shared shard.
    let _ = INDEX.try_with(|known| known.set(index));
}

impl Held {
    /// The lowest index that is free, so that there are never more shards than there were threads at a time.
    fn take(of: &'static Mutex<u64>) -> Option<Self> {
        let mut leased = of.lock().unwrap_or_else(PoisonError::into_inner);
        let index = leased.trailing_ones() as usize;
        if index >= SLOTS {
            return None;
        }
        *leased |= 1 << index;
        Some(Self { index, of })
    }

    fn hand_back(self) {
        let mut leased = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        *leased &= !(1 << self.index);
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn a_thread_that_found_no_index_does_not_ask_again() {
        thread::scope(|scope| {
            scope.spawn(|| {
                remember(NONE);
                assert_eq!(index(), None);
                assert!(LEASE.with(|lease| lease.0.get().is_none()));
            });
        });
    }

    #[test]
    fn a_thread_keeps_its_index_and_two_threads_that_live_together_never_share_one() {
        let together = Barrier::new(8);
        let indexes: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let mine = index();
                        together.wait();
                        assert_eq!(index(), mine);
                        mine
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let mut alone: Vec<_> = indexes.into_iter().flatten().collect();
        let leased = alone.len();
        alone.sort_unstable();
        alone.dedup();
        assert_eq!(alone.len(), leased);
    }
}
