//! Why a provider gave no result, and whether somebody else may be asked instead.

use std::{fmt, time::Duration};

use super::{
    WebFault,
    answer::Unusable,
    refusal::{self, Refusal},
    render::RenderFault,
};
use crate::failsafe::{Outcome, Rejected};

/// Why there is no result of a provider.
#[derive(Debug)]
pub(super) enum Stop {
    /// The call itself is at fault, or what it asks for cannot be had: the model reads why, and nobody else is asked.
    Refused(Refusal),
    /// The provider has failed.
    Failed(Failure),
}

/// A provider that gave no answer, or none of use.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) outcome: Outcome,
    pub(super) sentence: Box<str>,
    pub(super) retry_after: Option<Duration>,
    /// The refusal, if it was its breaker that refused.
    pub(super) rejected: Option<Box<Rejected>>,
}

impl Failure {
    pub(super) fn new(outcome: Outcome, sentence: impl Into<Box<str>>) -> Self {
        Self {
            outcome,
            sentence: sentence.into(),
            retry_after: None,
            rejected: None,
        }
    }

    /// Whether the provider has certainly done nothing, so that another may be asked whatever the capability does.
    pub(super) const fn is_harmless(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::CircuitOpen
                | Outcome::Unreachable
                | Outcome::Throttled
                | Outcome::Denied
                | Outcome::Misconfigured
        )
    }
}

impl Stop {
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Refused(_) => Outcome::CallerFault,
            Self::Failed(failure) => failure.outcome,
        }
    }
}

impl From<RenderFault> for Stop {
    fn from(fault: RenderFault) -> Self {
        Self::Refused(fault.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self {
            outcome: Outcome::CircuitOpen,
            sentence: rejected.to_string().into(),
            retry_after: Some(rejected.retry_after),
            rejected: Some(Box::new(rejected)),
        }
    }
}

impl From<WebFault> for Stop {
    fn from(fault: WebFault) -> Self {
        let outcome = match &fault {
            WebFault::Lost(_) => Outcome::Lost,
            WebFault::TimedOut { .. } => Outcome::Timeout,
            _ => Outcome::Unreachable,
        };
        let failed = || Self::Failed(Failure::new(outcome, fault.to_string()));
        refusal::of_exchange(&fault).map_or_else(failed, Self::Refused)
    }
}

impl From<Unusable> for Stop {
    fn from(unusable: Unusable) -> Self {
        let failed = |outcome, sentence: &str| Self::Failed(Failure::new(outcome, sentence));
        match &unusable {
            Unusable::Broken(sentence) => failed(Outcome::ProtocolViolation, sentence),
            Unusable::Told {
                outcome: outcome @ (Outcome::ToolFailure | Outcome::SessionLost),
                sentence,
            } => failed(*outcome, sentence),
            _ => refusal::of_answer(&unusable).map_or_else(
                || failed(Outcome::ProtocolViolation, "it gave no answer"),
                Self::Refused,
            ),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => f.write_str(&refusal.happened),
            Self::Failed(failure) => f.write_str(&failure.sentence),
        }
    }
}
