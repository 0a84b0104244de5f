//! At most once in a while, however many threads ask.

use std::time::Duration;

use crate::lockfree::sync::{Atomic, Ordering};

/// Says yes to one caller in each interval, such as the one that writes a log line for all.
#[derive(Debug)]
pub struct Pace {
    next_ms: Atomic<u64>,
    interval_ms: u64,
}

impl Pace {
    /// A pace whose first turn is free at once.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self {
            next_ms: Atomic::new(0),
            interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Whether it is this caller's turn. May say no to all in a moment of contention; the next caller is asked again.
    #[must_use]
    pub fn turn(&self, now_ms: u64) -> bool {
        // Relaxed: the time guards no other memory; a stale one makes the exchange below fail.
        let next_ms = self.next_ms.load(Ordering::Relaxed);
        if now_ms < next_ms {
            return false;
        }
        let following_ms = now_ms.saturating_add(self.interval_ms);
        // Relaxed: only one exchange can take this interval, and that is all it is for; what the caller then does is not published by it.
        self.next_ms
            .compare_exchange_weak(next_ms, following_ms, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn one_turn_an_interval_and_none_saved_up() {
        let pace = Pace::new(Duration::from_secs(1));
        let turns: Vec<u64> = (0..40)
            .map(|tenth| tenth * 100)
            .filter(|now_ms| !(1_500..2_500).contains(now_ms) && pace.turn(*now_ms))
            .collect();
        assert_eq!(turns, [0, 1_000, 2_500, 3_500]);
    }

    #[test]
    fn an_interval_without_end_has_one_turn() {
        let pace = Pace::new(Duration::MAX);
        assert_eq!(
            [5, 6, u64::MAX - 1].map(|now_ms| pace.turn(now_ms)),
            [true, false, false]
        );
    }

    #[test]
    fn many_threads_share_one_turn() {
        let pace = Pace::new(Duration::from_secs(1));
        let turns = std::thread::scope(|threads| {
            let callers: Vec<_> = (0..8).map(|_| threads.spawn(|| pace.turn(5))).collect();
            callers
                .into_iter()
                .filter_map(|caller| caller.join().ok())
                .filter(|turn| *turn)
                .count()
        });
        assert!(turns <= 1);
    }
}
