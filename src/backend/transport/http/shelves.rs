//! Things that wait for their next use, apart for each thread: what a thread puts down, it finds again itself.

use std::{cell::Cell, sync::LazyLock, thread};

use crossbeam_queue::ArrayQueue;

use crate::lockfree::Counter;

/// A shelf per core, and threads counted off among them. With more threads than shelves some share one, which costs
/// time and breaks nothing.
#[derive(Debug)]
pub(super) struct Shelves<T>(Box<[ArrayQueue<T>]>);

impl<T> Shelves<T> {
    /// Shelves that hold up to `each` things, one for each core.
    pub(super) fn new(each: usize) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self((0..cores).map(|_| ArrayQueue::new(each.max(1))).collect())
    }

    /// The thing that has waited longest on this thread's shelf.
    pub(super) fn take(&self) -> Option<T> {
        self.own()?.pop()
    }

    /// Puts a thing on this thread's shelf; what finds no room is dropped.
    pub(super) fn put(&self, thing: T) {
        if let Some(shelf) = self.own() {
            let _ = shelf.push(thing);
        }
    }

    /// Drops whatever waits, on all shelves.
    pub(super) fn clear(&self) {
        for shelf in &self.0 {
            while shelf.pop().is_some() {}
        }
    }

    fn own(&self) -> Option<&ArrayQueue<T>> {
        self.0.get(number() % self.0.len().max(1))
    }
}

/// The number of this thread among those that asked.
fn number() -> usize {
    static ASKED: LazyLock<Counter> = LazyLock::new(Counter::new);
    const UNKNOWN: usize = usize::MAX;
    thread_local! { static NUMBER: Cell<usize> = const { Cell::new(UNKNOWN) } }
    NUMBER.with(|number| {
        if number.get() == UNKNOWN {
            number.set(usize::try_from(ASKED.next()).unwrap_or_default());
        }
        number.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_puts_down_it_finds_again_the_oldest_first() {
        let shelves = Shelves::new(2);
        for thing in [1, 2, 3] {
            shelves.put(thing);
        }
        assert_eq!(
            [shelves.take(), shelves.take(), shelves.take()],
            [Some(1), Some(2), None]
        );
    }

    #[test]
    fn a_clearing_reaches_the_shelves_of_all_threads() {
        let shelves = Shelves::new(9);
        thread::scope(|scope| {
            for thing in 0..4 {
                let shelves = &shelves;
                scope.spawn(move || shelves.put(thing));
            }
        });
        shelves.clear();
        assert!(shelves.0.iter().all(ArrayQueue::is_empty));
    }
}
