//! The last things that happened, as a flight recorder keeps them: each thread writes a ring of its own, and only who asks
//! puts the rings together.
//!
//! 1. A ring has one writer. Entry n is written over entry n - 128 and then published by storing n + 1 as the head.
//! 2. Before it writes entry n the writer passes a release fence, so whoever sees a part of entry n sees a head of at least n.
//! 3. A reader copies entries, passes an acquire fence and looks at the head again: every entry that was 128 or more behind
//!    may have been written over meanwhile and is left out. So it never shows a mixture of two entries.
//! 4. Threads without a ring of their own take turns at one ring. Nobody waits for a turn: who finds it taken is counted as
//!    missed.

use crate::lockfree::shards::{Mine, Shards};
use crate::lockfree::sync::{Atomic, Ordering, fence};

/// Entries of one ring; loom gets two.
const ENTRIES: usize = if cfg!(loom) { 2 } else { 128 };
/// Entries of one ring that can be shown: twice as many are kept, so that writers do not outrun a reader.
const SHOWN: u64 = if cfg!(loom) { 1 } else { 64 };

const TAG_BITS: u32 = 16;

/// One thing that happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlightEntry {
    /// When, in milliseconds on the caller's clock; 48 bits of them are kept, 8,900 years.
    pub at_ms: u64,
    /// How long it took, in microseconds.
    pub latency_us: u64,
    /// What it was, as the caller numbers such things.
    pub tag: u16,
    /// Its name, such as a request id.
    pub id: u128,
}

/// Keeps at least the last 64 entries of each thread, written without a lock, a wait or a read-modify-write.
///
/// Memory: 1 KB, and 4.2 KB for each thread that has recorded; never more than 65 of these.
#[derive(Debug, Default)]
pub struct FlightRecorder {
    rings: Shards<Ring>,
    missed: Atomic<u64>,
}

#[derive(Debug)]
struct Ring {
    entries: [[Atomic<u64>; 4]; ENTRIES],
    /// How many entries were written so far.
    head: Atomic<u64>,
    /// 1 while somebody writes to a ring that is shared.
    taken: Atomic<u64>,
}

impl FlightRecorder {
    /// A recorder without entries; it makes its rings when they are needed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps an entry.
    #[inline]
    pub fn record(&self, entry: &FlightEntry) {
        match self.rings.known() {
            Some(ring) => ring.write(entry),
            None => self.record_unusual(entry),
        }
    }

    /// The last entries of all threads, at most 64, oldest first by their time. What is written meanwhile may be missing.
    #[must_use]
    pub fn latest(&self) -> Vec<FlightEntry> {
        let mut all: Vec<_> = self.rings.made().flat_map(Ring::latest).collect();
        all.sort_by_key(|entry| entry.at_ms);
        let shown = usize::try_from(SHOWN).unwrap_or(usize::MAX);
        all.split_off(all.len().saturating_sub(shown))
    }

    /// Entries that were not kept, because more than 64 threads recorded and two of the others did so at once.
    #[must_use]
    pub fn missed(&self) -> u64 {
        // Relaxed: the count stands for itself.
        self.missed.load(Ordering::Relaxed)
    }

    /// A thread's first entry, or a thread that shares its ring.
    #[cold]
    fn record_unusual(&self, entry: &FlightEntry) {
        let kept = match self.rings.mine(Ring::new) {
            Mine::Alone(ring) => {
                ring.write(entry);
                true
            }
            Mine::Shared(ring) => ring.write_in_turn(entry),
        };
        if !kept {
            // Relaxed: a read-modify-write loses nothing, and the count guards no other memory.
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Ring {
    fn new() -> Self {
        Self {
            entries: std::array::from_fn(|_| std::array::from_fn(|_| Atomic::new(0))),
            head: Atomic::new(0),
            taken: Atomic::new(0),
        }
    }

    /// Writes an entry on the one thread that may write now.
    #[inline]
    fn write(&self, entry: &FlightEntry) {
        // Relaxed: only who may write now changes it.
        let head = self.head.load(Ordering::Relaxed);
        // Release: rule 2; pairs with the acquire fence in `latest`.
        fence(Ordering::Release);
        if let Some(cells) = self.entries.get(place(head)) {
            for (cell, part) in cells.iter().zip(entry.parts()) {
                // Relaxed: the fence above and the store below order it.
                cell.store(part, Ordering::Relaxed);
            }
        }
        // Release: who sees this head sees the entry whole; pairs with the first load in `latest`.
        self.head.store(head.wrapping_add(1), Ordering::Release);
    }

    /// Writes an entry if nobody else is writing.
    fn write_in_turn(&self, entry: &FlightEntry) -> bool {
        // Acquire on success: this turn follows all of the last one; pairs with the release below.
        let turn = self.taken.swap(1, Ordering::Acquire);
        if turn != 0 {
            return false;
        }
        self.write(entry);
        // Release: see above.
        self.taken.store(0, Ordering::Release);
        true
    }

    fn latest(&self) -> Vec<FlightEntry> {
        // Acquire: pairs with the store of the head, so entries before it are whole.
        let head = self.head.load(Ordering::Acquire);
        let first = head.saturating_sub(SHOWN);
        let copies: Vec<_> = (first..head).map(|n| (n, self.copy(n))).collect();
        // Acquire: rule 3; pairs with the release fence in `write`.
        fence(Ordering::Acquire);
        // Relaxed: the fence orders it.
        let head_now = self.head.load(Ordering::Relaxed);
        let whole = copies
            .into_iter()
            .filter(|(n, _)| n + ENTRIES as u64 > head_now);
        whole.map(|(_, entry)| entry).collect()
    }

    fn copy(&self, number: u64) -> FlightEntry {
        let cells = self.entries.get(place(number));
        // Relaxed: see `latest`.
        FlightEntry::of(cells.map_or([0; 4], |cells| {
            cells.each_ref().map(|cell| cell.load(Ordering::Relaxed))
        }))
    }
}

impl FlightEntry {
    #[inline]
    const fn parts(&self) -> [u64; 4] {
        [
            self.at_ms << TAG_BITS | self.tag as u64,
            self.latency_us,
            low(self.id >> 64),
            low(self.id),
        ]
    }

    const fn of([moment, latency_us, high, low_half]: [u64; 4]) -> Self {
        Self {
            at_ms: moment >> TAG_BITS,
            latency_us,
            tag: tag(moment),
            id: (high as u128) << 64 | low_half as u128,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is what the caller asks for"
)]
const fn low(bits: u128) -> u64 {
    bits as u64
}

#[expect(clippy::cast_possible_truncation, reason = "the low bits are the tag")]
const fn tag(moment: u64) -> u16 {
    moment as u16
}

/// Where entry `number` lies in its ring.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the remainder is below the number of entries"
)]
const fn place(number: u64) -> usize {
    (number % ENTRIES as u64) as usize
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    fn entry(number: u64) -> FlightEntry {
        FlightEntry {
            at_ms: number,
            latency_us: number * 3,
            tag: 7,
            id: u128::from(number) << 64 | u128::from(number),
        }
    }

    #[test]
    fn the_last_sixty_four_are_kept_whole_and_in_order() {
        let recorder = FlightRecorder::new();
        assert_eq!(recorder.latest(), []);
        (0..200).for_each(|n| recorder.record(&entry(n)));
        let expected: Vec<_> = (136..200).map(entry).collect();
        assert_eq!(recorder.latest(), expected);
    }

    #[test]
    fn every_field_keeps_its_greatest_value() {
        let recorder = FlightRecorder::new();
        let greatest = FlightEntry {
            at_ms: (1 << 48) - 1,
            latency_us: u64::MAX,
            tag: u16::MAX,
            id: u128::MAX,
        };
        recorder.record(&greatest);
        assert_eq!(recorder.latest(), [greatest]);
    }

    /// One thread after another: where other tests have taken all leases, they share a ring.
    fn every_fourth(first: u64, recorder: &FlightRecorder, together: &Barrier) {
        for n in 0..160 {
            together.wait();
            if n % 4 == first {
                recorder.record(&entry(n));
            }
        }
        // A thread that ended would leave its ring to the next.
        together.wait();
    }

    #[test]
    fn the_rings_of_all_threads_are_shown_together_by_their_times() {
        let recorder = FlightRecorder::new();
        let together = Barrier::new(4);
        thread::scope(|scope| {
            for thread in 0..4 {
                let (recorder, together) = (&recorder, &together);
                scope.spawn(move || every_fourth(thread, recorder, together));
            }
        });
        let expected: Vec<_> = (96..160).map(entry).collect();
        assert_eq!(recorder.latest(), expected);
        assert_eq!(recorder.missed(), 0);
    }

    #[test]
    fn who_reads_while_others_write_sees_no_mixture() {
        let recorder = FlightRecorder::new();
        let whole = |seen: &FlightEntry| *seen == entry(seen.at_ms);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| (0..200_000).for_each(|n| recorder.record(&entry(n))));
            }
            for _ in 0..2_000 {
                assert!(recorder.latest().iter().all(whole));
            }
        });
    }

    #[test]
    fn who_finds_the_turn_taken_writes_nothing_and_does_not_wait() {
        let ring = Ring::new();
        assert!(ring.write_in_turn(&entry(1)));
        ring.taken.store(1, Ordering::Relaxed);
        assert!(!ring.write_in_turn(&entry(2)));
        ring.taken.store(0, Ordering::Relaxed);
        assert!(ring.write_in_turn(&entry(3)));
        assert_eq!(ring.latest(), [entry(1), entry(3)]);
    }

    #[test]
    fn a_ring_is_as_large_as_is_said() {
        assert_eq!(size_of::<Ring>(), 4_112);
    }

    #[test]
    fn threads_beyond_the_last_ring_take_turns_or_are_counted_as_missed() {
        let recorder = FlightRecorder::new();
        let threads = crate::lockfree::lease::SLOTS + 8;
        let together = Barrier::new(threads);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    recorder.record(&entry(1));
                    together.wait();
                });
            }
        });
        let kept: u64 = recorder
            .rings
            .made()
            .map(|ring| ring.head.load(Ordering::Relaxed))
            .sum();
        assert_eq!(kept + recorder.missed(), threads as u64);
        assert!(recorder.latest().iter().all(|seen| *seen == entry(1)));
    }
}
