//! Leave for one call: who holds it says how the call ended, or gives the slot back by letting go.

use crate::lockfree::breaker::answer::{Settled, Verdict};
use crate::lockfree::breaker::atomic::{Breaker, Call};
use crate::lockfree::breaker::step::Event;
use crate::lockfree::breaker::word::{Phase, Word};

/// Leave for one call. Report with [`success`](Permit::success), [`slow`](Permit::slow) or [`failure`](Permit::failure);
/// a permit that is dropped gives its slot back and counts neither way.
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as abandoned"]
pub struct Permit<'a> {
    breaker: &'a Breaker,
    /// The word that let the call go.
    word: Word,
    role: Role,
}

/// What a permit is besides the word that gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// One of many.
    Admitted,
    /// The one that took the breaker from open to half-open.
    First,
    /// Refused, and gone all the same.
    Passed,
}

impl<'a> Permit<'a> {
    #[inline]
    pub(super) const fn new(breaker: &'a Breaker, word: Word, role: Role) -> Self {
        Self {
            breaker,
            word,
            role,
        }
    }

    /// Whether this call is one of the few that decide if the breaker closes.
    #[inline]
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        matches!(self.word.phase(), Phase::HalfOpen) && !matches!(self.role, Role::Passed)
    }

    /// Whether this admission took the breaker from open to half-open. True for exactly one permit of each such change.
    #[must_use]
    pub const fn entered_half_open(&self) -> bool {
        matches!(self.role, Role::First)
    }

    /// The backend did its work. With no failure on record this is one load and no write; a policy with a window of time
    /// writes to this thread's own counts.
    #[inline]
    pub fn success(self, now_ms: u64) -> Settled {
        let (breaker, admitted, role) = self.spent();
        let word = breaker.load();
        if word == admitted && breaker.is_clean(admitted) {
            return Settled::Quiet;
        }
        let call = Call::new(Verdict::Success, now_ms);
        settle(breaker, (word, admitted, role), call)
    }

    /// The backend did its work, and took too long for it.
    pub fn slow(self, now_ms: u64) -> Settled {
        self.ended(Call::new(Verdict::Slow, now_ms))
    }

    /// The backend failed.
    pub fn failure(self, now_ms: u64) -> Settled {
        self.ended(Call::new(Verdict::Failure, now_ms))
    }

    /// The backend failed, and asked not to be called before `not_before_ms`: if this failure opens the breaker, no probe is
    /// due earlier.
    pub fn failure_until(self, now_ms: u64, not_before_ms: u64) -> Settled {
        self.ended(Call {
            not_before_ms,
            ..Call::new(Verdict::Failure, now_ms)
        })
    }

    /// Lets the call go without its permit. A probe's slot stays taken until [`Breaker::record`] gives it back or its lease ends.
    pub fn detach(self) {
        self.spent();
    }

    fn ended(self, call: Call) -> Settled {
        let (breaker, admitted, role) = self.spent();
        settle(breaker, (breaker.load(), admitted, role), call)
    }

    /// Takes the permit apart, so that it is not given back when it goes out of scope.
    #[inline]
    fn spent(self) -> (&'a Breaker, Word, Role) {
        let parts = (self.breaker, self.word, self.role);
        std::mem::forget(self);
        parts
    }
}

#[cold]
fn settle(breaker: &Breaker, (word, admitted, role): (Word, Word, Role), call: Call) -> Settled {
    match role {
        Role::Passed => Settled::Stale,
        Role::Admitted | Role::First => breaker.settle(word, Some(admitted.generation()), call),
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
