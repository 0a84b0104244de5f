//! Why a provider gave no result, and whether somebody else may be asked instead.

use std::{fmt, time::Duration};

use super::{WebFault, answer::Unusable, render::RenderFault};
use crate::failsafe::{Outcome, Rejected};

/// Why there is no result of a provider.
#[derive(Debug)]
pub(super) enum Stop {
    /// The call itself is at fault, or what it asks for cannot be had: the model reads why, and nobody else is asked.
    Refused(String),
    /// The provider has failed.
    Failed(Failure),
}

/// A provider that gave no answer, or none of use.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) outcome: Outcome,
    pub(super) sentence: Box<str>,
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) fn new(outcome: Outcome, sentence: impl Into<Box<str>>) -> Self {
        Self {
            outcome,
            sentence: sentence.into(),
            retry_after: None,
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
        Self::Refused(fault.to_string())
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
        }
    }
}

impl From<WebFault> for Stop {
    fn from(fault: WebFault) -> Self {
        let outcome = match &fault {
            WebFault::Forbidden { .. } | WebFault::TooLong { .. } | WebFault::Astray(_) => {
                return Self::Refused(format!("There is no result: {fault}."));
            }
            WebFault::Unreachable(_) => Outcome::Unreachable,
            WebFault::Lost(_) => Outcome::Lost,
            WebFault::TimedOut { .. } => Outcome::Timeout,
        };
        Self::Failed(Failure::new(outcome, fault.to_string()))
    }
}

impl From<Unusable> for Stop {
    fn from(unusable: Unusable) -> Self {
        match unusable {
            Unusable::Broken(sentence) => {
                Self::Failed(Failure::new(Outcome::ProtocolViolation, sentence))
            }
            Unusable::Told {
                outcome: outcome @ (Outcome::ToolFailure | Outcome::SessionLost),
                sentence,
            } => Self::Failed(Failure::new(outcome, sentence)),
            Unusable::Told { sentence, .. } => Self::Refused(format!(
                "The provider does not take the call: {sentence}. Correct the arguments and call again."
            )),
            Unusable::Unexpected(sentence) => Self::Refused(sentence),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(sentence) => f.write_str(sentence),
            Self::Failed(failure) => f.write_str(&failure.sentence),
        }
    }
}
