//! How often the same is said: a few times in each while, and then how often it came up beside.

use std::time::Duration;

use crate::lockfree::sync::{Atomic, Ordering};

/// The lower bits hold how often it came up in a while, the upper ones which while that is, counted from 1.
const COUNT_BITS: u32 = 24;
const MOST: u64 = (1 << COUNT_BITS) - 1;

/// Lets the first few of the same in each while be said, and counts the rest.
#[derive(Debug)]
pub struct Repeats {
    word: Atomic<u64>,
    while_ms: u64,
    few: u64,
}

/// What is to be said when it has come up once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// Whether this one is said.
    pub aloud: bool,
    /// How many of an earlier while were not said, of whom nobody has told yet.
    pub unsaid: u64,
}

impl Repeats {
    /// Says the first `few` of each `time`.
    #[must_use]
    pub fn new(few: u32, time: Duration) -> Self {
        Self {
            word: Atomic::new(0),
            while_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1),
            few: u64::from(few),
        }
    }

    /// It has come up at `now_ms`.
    #[must_use]
    pub fn again(&self, now_ms: u64) -> Repeated {
        let now = self.number(now_ms);
        // Relaxed: the word stands for itself and publishes no other memory; a stale one makes the exchange below fail.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let (known, count) = apart(word);
            let (next, repeated) = if known == now {
                let aloud = count < self.few;
                (together(now, count + 1), Repeated { aloud, unsaid: 0 })
            } else {
                let unsaid = count.saturating_sub(self.few);
                (
                    together(now, 1),
                    Repeated {
                        aloud: self.few > 0,
                        unsaid,
                    },
                )
            };
            // Relaxed: only one exchange can take this word, and so tells of what it holds; nothing else is published.
            match self
                .word
                .compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return repeated,
                Err(changed) => word = changed,
            }
        }
    }

    /// How many of a while that is over were not said; each is told once.
    #[must_use]
    pub fn rest(&self, now_ms: u64) -> u64 {
        // Relaxed: as in `again`.
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            let (known, count) = apart(word);
            let unsaid = count.saturating_sub(self.few);
            if unsaid == 0 || known == self.number(now_ms) {
                return 0;
            }
            // Relaxed: as in `again`.
            match self
                .word
                .compare_exchange_weak(word, 0, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return unsaid,
                Err(changed) => word = changed,
            }
        }
    }

    fn number(&self, now_ms: u64) -> u64 {
        now_ms / self.while_ms + 1
    }
}

const fn apart(word: u64) -> (u64, u64) {
    (word >> COUNT_BITS, word & MOST)
}

const fn together(number: u64, count: u64) -> u64 {
    (number << COUNT_BITS) | if count > MOST { MOST } else { count }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn repeats() -> Repeats {
        Repeats::new(2, Duration::from_secs(10))
    }

    #[test]
    fn the_first_few_of_each_while_are_said_and_the_rest_is_told_once() {
        let repeats = repeats();
        let said: Vec<_> = (0..5).map(|at| repeats.again(at).aloud).collect();
        assert_eq!(said, [true, true, false, false, false]);
        assert_eq!(
            repeats.rest(9_999),
            0,
            "it may come up again in the same while"
        );
        let next = repeats.again(10_000);
        assert_eq!(
            next,
            Repeated {
                aloud: true,
                unsaid: 3
            }
        );
        assert_eq!(repeats.rest(30_000), 0);
    }

    #[test]
    fn what_comes_up_no_more_is_told_by_whoever_looks() {
        let repeats = repeats();
        for at in 0..9 {
            let _ = repeats.again(at);
        }
        assert_eq!([repeats.rest(10_000), repeats.rest(10_001)], [7, 0]);
        let next = repeats.again(10_002);
        assert_eq!(
            next,
            Repeated {
                aloud: true,
                unsaid: 0
            }
        );
    }

    #[test]
    fn threads_lose_none() {
        let repeats = repeats();
        let aloud: usize = std::thread::scope(|threads| {
            let callers: Vec<_> = (0..8)
                .map(|_| threads.spawn(|| (0..1_000).filter(|_| repeats.again(5).aloud).count()))
                .collect();
            callers
                .into_iter()
                .map(|caller| caller.join().unwrap_or(0))
                .sum()
        });
        assert_eq!((aloud, repeats.rest(10_000)), (2, 7_998));
    }

    #[test]
    fn a_count_does_not_run_into_the_number_of_its_while() {
        assert_eq!(apart(together(3, MOST + 5)), (3, MOST));
    }
}
