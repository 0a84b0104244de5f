//! Leave for one call: who holds it says how the call ended, or gives the slot back by letting go.

use crate::lockfree::breaker::answer::{Settled, Verdict};
use crate::lockfree::breaker::atomic::Breaker;
use crate::lockfree::breaker::step::Event;
use crate::lockfree::breaker::word::{Phase, Word};

/// Leave for one call. Report with [`success`](Permit::success) or [`failure`](Permit::failure);
/// a permit that is dropped gives its slot back and counts neither way.
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as abandoned"]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    /// The word that let the call go.
    word: Word,
    entered_half_open: bool,
}

impl<'a> Permit<'a> {
    #[inline]
    pub(super) const fn new(breaker: &'a Breaker, word: Word, entered_half_open: bool) -> Self {
        Self {
            breaker,
            word,
            entered_half_open,
        }
    }

    /// Whether this call is one of the few that decide if the breaker closes.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        matches!(self.word.phase(), Phase::HalfOpen)
    }

    /// Whether this admission took the breaker from open to half-open. True for exactly one permit of each such change.
    #[must_use]
    pub const fn entered_half_open(&self) -> bool {
        self.entered_half_open
    }

    /// The backend did its work. With no failure on record this is one load and no write.
    #[inline]
    pub fn success(self, now_ms: u64) -> Settled {
        let (breaker, admitted) = self.spent();
        let word = breaker.load();
        if word == admitted && breaker.is_clean(admitted) {
            return Settled::Quiet;
        }
        breaker.settle(word, Some(admitted.generation()), Verdict::Success, now_ms)
    }

    /// The backend failed.
    pub fn failure(self, now_ms: u64) -> Settled {
        let (breaker, admitted) = self.spent();
        let word = breaker.load();
        breaker.settle(word, Some(admitted.generation()), Verdict::Failure, now_ms)
    }

    /// Lets the call go without its permit. A probe's slot stays taken until [`Breaker::record`] gives it back or its lease ends.
    pub fn detach(self) {
        self.spent();
    }

    /// Takes the permit apart, so that it is not given back when it goes out of scope.
    #[inline]
    fn spent(self) -> (&'a Breaker, Word) {
        let parts = (self.breaker, self.word);
        std::mem::forget(self);
        parts
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.is_probe() {
            let generation = self.word.generation();
            let word = self.breaker.load();
            self.breaker.fire(word, Event::Abandon { generation }, 0);
        }
    }
}
