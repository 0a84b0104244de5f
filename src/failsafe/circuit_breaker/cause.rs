//! Why a breaker changed its state: a sentence for people, and a label from a small set for metrics.

use std::fmt;

use crate::failsafe::outcome::Outcome;

/// The last failure, or whatever else moved the breaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its kind.
    pub kind: CauseKind,
    /// What happened, as a sentence.
    pub text: Box<str>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The kinds of causes: a set that no client can add to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CauseKind {
    /// A call came to this.
    Call(Outcome),
    /// A user of the library reported a failure and no more.
    Reported,
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
            Self::ProbeDue,
            Self::Recovered,
            Self::Operator,
        ];
        Outcome::ALL.into_iter().map(Self::Call).chain(others)
    }

    /// How many kinds there are.
    pub(super) const COUNT: usize = Outcome::ALL.len() + 4;

    /// Its place among all kinds.
    pub(super) const fn index(self) -> usize {
        match self {
            Self::Call(outcome) => outcome.index(),
            Self::Reported => Outcome::ALL.len(),
            Self::ProbeDue => Outcome::ALL.len() + 1,
            Self::Recovered => Outcome::ALL.len() + 2,
            Self::Operator => Outcome::ALL.len() + 3,
        }
    }

    /// Its name in metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Call(outcome) => outcome.label(),
            Self::Reported => "reported",
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
