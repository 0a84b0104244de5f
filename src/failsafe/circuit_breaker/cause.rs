//! Why a breaker changed its state: a sentence for people, and a label from a small set for metrics.

use std::{fmt, time::Duration};

use crate::{
    failsafe::outcome::Outcome,
    telemetry::{RequestId, clock::millis},
};

/// The longest pause that a backend can ask for: one that asks for more is tried again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What is kept of a sentence and of its short form, in bytes: sixty-four of each are kept for every breaker.
const LONGEST_TEXT: usize = 2_000;
const LONGEST_BRIEF: usize = 100;

/// A failure, a slow call, or whatever else moved the breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its kind.
    pub kind: CauseKind,
    /// What happened, as a sentence.
    pub text: Box<str>,
    /// The same in a few words, so that causes of one kind can be counted.
    pub brief: Box<str>,
    /// When, in milliseconds on the breaker's clock.
    pub at_ms: u64,
    /// How long the call took; none where there was no call.
    pub latency: Option<Duration>,
    /// The request that failed; none where it has no name.
    pub request_id: Option<RequestId>,
}

/// What is known of the call that ended.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::failsafe) struct Facts {
    pub(in crate::failsafe) latency: Option<Duration>,
    pub(in crate::failsafe) request_id: Option<RequestId>,
}

/// What is told of a call that failed, or of whatever else moved the breaker.
#[derive(Clone, Copy)]
pub(in crate::failsafe) struct Blame<'a> {
    pub(in crate::failsafe) kind: CauseKind,
    /// A sentence; in its alternate form (`{:#}`) a few words.
    pub(in crate::failsafe) text: &'a dyn fmt::Display,
    pub(in crate::failsafe) facts: Facts,
    /// The backend asked not to be called for so long.
    pub(in crate::failsafe) retry_after: Duration,
}

impl<'a> Blame<'a> {
    /// A blame of which nothing more is known.
    pub(in crate::failsafe) fn new(kind: CauseKind, text: &'a dyn fmt::Display) -> Self {
        Self {
            kind,
            text,
            facts: Facts::default(),
            retry_after: Duration::ZERO,
        }
    }

    /// When the backend may be called again.
    pub(super) fn not_before_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add(millis(self.retry_after.min(LONGEST_PAUSE)))
    }

    pub(super) fn cause(&self, now_ms: u64) -> Cause {
        Cause {
            kind: self.kind,
            text: beginning(self.text.to_string(), LONGEST_TEXT),
            brief: beginning(format!("{:#}", self.text), LONGEST_BRIEF),
            at_ms: now_ms,
            latency: self.facts.latency,
            request_id: self.facts.request_id,
        }
    }
}

fn beginning(mut text: String, most: usize) -> Box<str> {
    text.truncate(text.floor_char_boundary(most));
    text.into()
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A call that took too long, as a sentence.
pub(super) struct SlowCall {
    pub(super) took: Duration,
    pub(super) limit: Duration,
}

impl SlowCall {
    pub(super) fn blame(&self, facts: Facts) -> Blame<'_> {
        Blame {
            facts,
            ..Blame::new(CauseKind::Slow, self)
        }
    }
}

impl fmt::Display for SlowCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { took, limit } = self;
        if f.alternate() {
            write!(f, "slower than {limit:?}")
        } else {
            write!(f, "a call took {took:.1?}, and {limit:?} is slow")
        }
    }
}

/// The kinds of causes: a set that no client can add to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CauseKind {
    /// A call came to this.
    Call(Outcome),
    /// A user of the library reported a failure and no more.
    Reported,
    /// A call succeeded and took too long.
    Slow,
    /// The time of the next probe has come.
    ProbeDue,
    /// As many probes succeeded as were needed.
    Recovered,
    /// A person.
    Operator,
}

impl CauseKind {
    /// Every kind, in the order of [`CauseKind::index`].
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let others = [
            Self::Reported,
            Self::Slow,
            Self::ProbeDue,
            Self::Recovered,
            Self::Operator,
        ];
        Outcome::ALL.into_iter().map(Self::Call).chain(others)
    }

    /// How many kinds there are.
    pub(super) const COUNT: usize = Outcome::ALL.len() + 5;

    /// Its place among all kinds.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Call(outcome) => outcome.index(),
            Self::Reported => Outcome::ALL.len(),
            Self::Slow => Outcome::ALL.len() + 1,
            Self::ProbeDue => Outcome::ALL.len() + 2,
            Self::Recovered => Outcome::ALL.len() + 3,
            Self::Operator => Outcome::ALL.len() + 4,
        }
    }

    /// Its name in metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Call(outcome) => outcome.label(),
            Self::Reported => "reported",
            Self::Slow => "slow",
            Self::ProbeDue => "probe_due",
            Self::Recovered => "recovered",
            Self::Operator => "operator",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_place_and_a_label_of_its_own() {
        let labels: std::collections::BTreeSet<_> =
            CauseKind::all().map(CauseKind::label).collect();
        assert_eq!(labels.len(), CauseKind::COUNT);
        for (place, kind) in CauseKind::all().enumerate() {
            assert_eq!(kind.index(), place);
        }
    }
}
