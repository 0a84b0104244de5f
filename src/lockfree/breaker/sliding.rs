//! The calls of the last while: a ring of time slots for each thread. A success touches its own thread's ring alone;
//! only a failure adds all rings up.
//!
//! 1. A slot is 2^n ms long, so that between 16 and 31 of them make the window. The newest is still being filled: what is
//!    seen reaches back by at least 7/8 of the window and at most all of it.
//! 2. Each count bears the generation and the slot it belongs to. A count of another generation is none: what was recorded
//!    before the breaker last changed is forgotten without anybody erasing it.
//! 3. Who counts against the backend first stores its own count, then passes the fence, then reads the others. Of two that do
//!    so at once at least one sees both, so the last failure that is needed is never overlooked.
//! 4. In a shared ring no count is written over a younger one: who was held up between reading the word and counting would
//!    erase what others have counted since.

use crate::lockfree::breaker::word::GENERATION_BITS;
use crate::lockfree::shards::{Mine, Shards};
use crate::lockfree::sync::{Atomic, Ordering, fence};

/// The slots of a ring; loom gets two.
const SLOTS: usize = if cfg!(loom) { 2 } else { 32 };
/// A window is cut into at least so many slots.
const FINENESS: u64 = if cfg!(loom) { 1 } else { 16 };

const COUNT_BITS: u32 = 24;
const MOST: u64 = (1 << COUNT_BITS) - 1;
/// Slot numbers come round after 2^22 slots; a count that lay still for exactly so long would pass for a fresh one.
const LAST_SLOT: u64 = (1 << (u64::BITS - COUNT_BITS - GENERATION_BITS)) - 1;

const LAST_GENERATION: u64 = (1 << GENERATION_BITS) - 1;
/// Nobody is held up for so many slots or generations: what seems younger by more is old, from before the numbers came round.
const LONGEST_DELAY: u64 = 1 << 10;

/// The calls of the last window, counted by thread and slot.
///
/// Memory: 1 KB, and 0.8 KB for each thread that has counted. Up to 16.7 million calls a slot and thread are told apart.
#[derive(Debug)]
pub(super) struct SlidingWindow {
    rings: Shards<Ring>,
    /// A slot is 2^`slot_shift` ms long.
    slot_shift: u32,
    /// Slots that make the window, the one being filled included.
    slots: u64,
}

/// What one call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Good,
    Slow,
    Failed,
}

/// The calls of the last window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Recent {
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) slow: u64,
}

/// The counts of one thread: by slot, one word for each kind, so that each is written in one store.
#[derive(Debug)]
struct Ring([[Atomic<u64>; 3]; SLOTS]);

/// Where a count belongs: generation and slot number, above the bits of the count.
#[derive(Clone, Copy)]
struct Place {
    generation: u32,
    slot: u64,
}

impl SlidingWindow {
    /// A window of `window_ms`, at least 16 ms: a policy has at least 100.
    pub(super) fn new(window_ms: u64) -> Self {
        let slot_shift = (window_ms / FINENESS).ilog2();
        Self {
            rings: Shards::default(),
            slot_shift,
            slots: window_ms >> slot_shift,
        }
    }

    /// Counts a call that ended at `now_ms` and was admitted in `generation`.
    pub(super) fn count(&self, kind: Kind, generation: u32, now_ms: u64) {
        let place = self.place(generation, now_ms);
        match self.rings.known() {
            Some(ring) => ring.count_alone(kind, place),
            None => self.count_unusual(kind, place),
        }
    }

    /// The calls of the window that ends at `now_ms`, those of `generation` alone: all that this thread has counted, and
    /// all that was counted by a thread whose own look does not show this thread's last count.
    pub(super) fn recent(&self, generation: u32, now_ms: u64) -> Recent {
        // SeqCst: rule 3. A release store before and an acquire load behind would not do: both threads could read before
        // either store is seen. Pairs with itself on another thread.
        fence(Ordering::SeqCst);
        let now = self.place(generation, now_ms);
        let mut recent = Recent::default();
        for ring in self.rings.made() {
            ring.add_to(&mut recent, now, self.slots);
        }
        recent
    }

    const fn place(&self, generation: u32, now_ms: u64) -> Place {
        Place {
            generation,
            slot: now_ms >> self.slot_shift & LAST_SLOT,
        }
    }

    /// A thread's first count here, or a thread that shares its ring.
    #[cold]
    fn count_unusual(&self, kind: Kind, place: Place) {
        match self.rings.mine(Ring::new) {
            Mine::Alone(ring) => ring.count_alone(kind, place),
            Mine::Shared(ring) => ring.count_shared(kind, place),
        }
    }
}

impl Ring {
    fn new() -> Self {
        Self(std::array::from_fn(|_| {
            std::array::from_fn(|_| Atomic::new(0))
        }))
    }

    fn count_alone(&self, kind: Kind, place: Place) {
        if let Some(cell) = self.cell(kind, place.slot) {
            // Relaxed, both: this thread is the ring's only writer, and a reader takes each count for its own sake; the fence
            // in `recent` orders what must be ordered.
            let before = cell.load(Ordering::Relaxed);
            cell.store(place.one_more(before), Ordering::Relaxed);
        }
    }

    fn count_shared(&self, kind: Kind, place: Place) {
        let Some(cell) = self.cell(kind, place.slot) else {
            return;
        };
        // Relaxed, all: as in `count_alone`; the exchange loses no count, whoever else writes.
        let mut before = cell.load(Ordering::Relaxed);
        // Rule 4.
        while !place.is_older_than(before) {
            let after = place.one_more(before);
            match cell.compare_exchange_weak(before, after, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(faster) => before = faster,
            }
        }
    }

    fn add_to(&self, recent: &mut Recent, now: Place, slots: u64) {
        for back in 0..slots {
            let then = now.back_by(back);
            let of = |kind| self.counted(kind, then);
            let (failed, slow) = (of(Kind::Failed), of(Kind::Slow));
            recent.failed += failed;
            recent.slow += slow;
            recent.calls += of(Kind::Good) + failed + slow;
        }
    }

    fn counted(&self, kind: Kind, place: Place) -> u64 {
        // Relaxed: see `count_alone`.
        let cell = self.cell(kind, place.slot);
        place.count_in(cell.map_or(0, |cell| cell.load(Ordering::Relaxed)))
    }

    fn cell(&self, kind: Kind, slot: u64) -> Option<&Atomic<u64>> {
        self.0
            .get(usize::try_from(slot).unwrap_or(0) % SLOTS)?
            .get(kind as usize)
    }
}

impl Place {
    const fn back_by(self, slots: u64) -> Self {
        Self {
            slot: self.slot.wrapping_sub(slots) & LAST_SLOT,
            ..self
        }
    }

    const fn tag(self) -> u64 {
        (self.slot << GENERATION_BITS | self.generation as u64) << COUNT_BITS
    }

    const fn count_in(self, cell: u64) -> u64 {
        if cell & !MOST == self.tag() {
            cell & MOST
        } else {
            0
        }
    }

    /// Whether a count belongs to a later slot, or to a later generation in this one.
    const fn is_older_than(self, cell: u64) -> bool {
        let place = cell >> COUNT_BITS;
        let slots = (place >> GENERATION_BITS).wrapping_sub(self.slot) & LAST_SLOT;
        let generations = place.wrapping_sub(self.generation as u64) & LAST_GENERATION;
        let ahead = if slots == 0 { generations } else { slots };
        0 < ahead && ahead <= LONGEST_DELAY
    }

    const fn one_more(self, cell: u64) -> u64 {
        let count = self.count_in(cell);
        self.tag() | if count < MOST { count + 1 } else { MOST }
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    const WINDOW_MS: u64 = 10_000;

    #[test]
    fn a_window_is_cut_into_sixteen_slots_or_more() {
        for window_ms in [100, 1_000, 1_023, 1_024, 1_600, 10_000, 60_000, 3_600_000] {
            let window = SlidingWindow::new(window_ms);
            assert!((16..32).contains(&window.slots), "{window_ms}");
            let reach_ms = window.slots << window.slot_shift;
            assert!(reach_ms <= window_ms && reach_ms * 16 > window_ms * 15 - 16);
        }
    }

    #[test]
    fn calls_leave_the_window_when_it_has_passed_and_not_before() {
        let window = SlidingWindow::new(WINDOW_MS);
        window.count(Kind::Failed, 0, 5_000);
        let failed_at = |now_ms| window.recent(0, now_ms).failed;
        assert_eq!(failed_at(5_000), 1);
        assert_eq!(failed_at(5_000 + WINDOW_MS * 7 / 8), 1);
        assert_eq!(failed_at(5_000 + WINDOW_MS), 0);
    }

    #[test]
    fn what_was_counted_in_another_generation_is_forgotten() {
        let window = SlidingWindow::new(WINDOW_MS);
        window.count(Kind::Failed, 0, 0);
        window.count(Kind::Good, 1, 0);
        let expected = Recent {
            calls: 1,
            ..Recent::default()
        };
        assert_eq!(window.recent(1, 0), expected);
        assert_eq!(window.recent(2, 0), Recent::default());
    }

    #[test]
    fn a_window_reaches_over_the_end_of_the_slot_numbers() {
        let window = SlidingWindow::new(WINDOW_MS);
        let round_ms = (LAST_SLOT + 1) << window.slot_shift;
        window.count(Kind::Failed, 0, round_ms - 1);
        window.count(Kind::Failed, 0, round_ms);
        assert_eq!(window.recent(0, round_ms).failed, 2);
    }

    #[test]
    fn a_ring_is_as_large_and_its_counts_are_as_wide_as_is_said() {
        assert_eq!(size_of::<Ring>(), 768);
        assert_eq!((MOST, LAST_SLOT), (16_777_215, (1 << 22) - 1));
    }

    #[test]
    fn a_full_count_stays_full_and_spills_into_nothing() {
        let place = Place {
            generation: (1 << GENERATION_BITS) - 1,
            slot: LAST_SLOT,
        };
        let full = place.one_more(place.tag() | (MOST - 1));
        assert_eq!(full, u64::MAX);
        assert_eq!(place.one_more(full), full);
        assert_eq!(place.count_in(full), MOST);
    }

    #[test]
    fn a_place_is_older_than_later_slots_and_generations_but_not_than_its_own() {
        let place = |slot, generation| Place { generation, slot };
        let last = place(LAST_SLOT, (1 << GENERATION_BITS) - 1);
        let older = |one: Place, other: Place| one.is_older_than(other.tag() | MOST);
        for (one, other, expected) in [
            (place(5, 3), place(5, 3), false),
            (place(5, 3), place(5, 4), true),
            (place(5, 4), place(5, 3), false),
            (place(5, 3), place(5 + 32, 0), true),
            (place(5 + 32, 0), place(5, 3), false),
            (place(5, 0), place(5, 1 << 10), true),
            (place(5, 0), place(5, (1 << 10) + 1), false),
            (last, place(0, 0), true),
            (place(0, 0), last, false),
            (last, place(LAST_SLOT, 0), true),
        ] {
            assert_eq!(
                older(one, other),
                expected,
                "{:?}",
                (one.tag(), other.tag())
            );
        }
    }

    #[test]
    fn threads_count_together_and_lose_nothing() {
        let window = SlidingWindow::new(WINDOW_MS);
        let threads = crate::lockfree::lease::SLOTS + 4;
        let together = Barrier::new(threads);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    window.count(Kind::Slow, 3, 77);
                    // A thread that ended would leave its ring to the next.
                    together.wait();
                    (0..99).for_each(|_| window.count(Kind::Slow, 3, 77));
                });
            }
        });
        let calls = 100 * threads as u64;
        let expected = Recent {
            calls,
            failed: 0,
            slow: calls,
        };
        assert_eq!(window.recent(3, 77), expected);
    }

    proptest! {
        /// Against a list of all calls: what the window shows lies between the calls of 7/8 of it and of all of it.
        #[test]
        fn what_is_seen_is_what_happened_in_the_window(steps in prop::collection::vec((0..3_u8, 0..2_000_u64), 1..200)) {
            let window = SlidingWindow::new(WINDOW_MS);
            let (mut all, mut now_ms) = (Vec::new(), 0);
            for (kind, wait_ms) in steps {
                now_ms += wait_ms;
                let kind = [Kind::Good, Kind::Slow, Kind::Failed][usize::from(kind)];
                window.count(kind, 0, now_ms);
                all.push((kind, now_ms));
                let within = |span_ms: u64, kinds: &[Kind]| {
                    let young = |at_ms: u64| now_ms - at_ms < span_ms;
                    all.iter().filter(|(kind, at)| kinds.contains(kind) && young(*at)).count() as u64
                };
                let seen = window.recent(0, now_ms);
                for (count, kinds) in [
                    (seen.failed, &[Kind::Failed][..]),
                    (seen.slow, &[Kind::Slow]),
                    (seen.calls, &[Kind::Good, Kind::Slow, Kind::Failed]),
                ] {
                    prop_assert!(count >= within(WINDOW_MS * 7 / 8, kinds));
                    prop_assert!(count <= within(WINDOW_MS, kinds));
                }
            }
        }
    }
}
