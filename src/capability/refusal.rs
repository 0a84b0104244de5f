//! What a model reads when its call has no result that it could use: what happened, and what to do.

use super::{WebFault, answer::Unusable, render::RenderFault};

/// A call that is answered with words for the model. No provider is at fault, and no other is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// One of the words that the gateway's own refusals bear.
    pub(super) error_code: &'static str,
    /// What happened, as sentences.
    pub(super) happened: String,
    /// What to do.
    pub(super) suggest: &'static str,
}

const INVALID_PARAM: &str = "INVALID_PARAM";
const BACKEND_ERROR: &str = "BACKEND_ERROR";

impl Refusal {
    /// The arguments are at fault.
    pub(super) const fn of_arguments(happened: String) -> Self {
        Self {
            error_code: INVALID_PARAM,
            happened,
            suggest: "Check the tool's inputSchema, correct the arguments and call again.",
        }
    }

    /// What the arguments name is not there.
    pub(super) const fn of_absence(happened: String) -> Self {
        Self {
            error_code: INVALID_PARAM,
            happened,
            suggest: "What was asked for does not exist there: check the arguments.",
        }
    }

    /// The definition is at fault.
    pub(super) const fn of_definition(happened: String) -> Self {
        Self {
            error_code: BACKEND_ERROR,
            happened,
            suggest: "Do not call again: the definition of this capability must be mended first. Tell the user.",
        }
    }

    /// What the gateway shows is not accepted.
    pub(super) const fn of_credential(happened: String) -> Self {
        Self {
            error_code: BACKEND_ERROR,
            happened,
            suggest: "Do not call again: the credential that the gateway shows is missing, wrong, or not allowed to do this. Tell the user.",
        }
    }

    /// The answer is more than is read.
    const fn of_length(happened: String) -> Self {
        Self {
            error_code: INVALID_PARAM,
            happened,
            suggest: "Ask for less at once, for example for a page of it.",
        }
    }
}

impl From<RenderFault> for Refusal {
    fn from(fault: RenderFault) -> Self {
        Self::of_arguments(format!("{fault}: nothing was sent."))
    }
}

/// What an answer means that nobody can use; none if the provider has failed.
pub(super) fn of_answer(unusable: &Unusable) -> Option<Refusal> {
    match unusable {
        Unusable::Told { sentence, .. } => Some(Refusal::of_arguments(format!(
            "The provider does not take the call: {sentence}."
        ))),
        Unusable::Unexpected(sentence) => Some(Refusal::of_definition(sentence.clone())),
        Unusable::Broken(_) => None,
    }
}

/// What an exchange means that came to nothing; none if the provider has failed.
pub(super) fn of_exchange(fault: &WebFault) -> Option<Refusal> {
    let happened = || format!("There is no result: {fault}.");
    match fault {
        WebFault::Forbidden { .. } | WebFault::Astray(_) => {
            Some(Refusal::of_definition(happened()))
        }
        WebFault::TooLong { .. } => Some(Refusal::of_length(happened())),
        WebFault::Unreachable(_) | WebFault::Lost(_) | WebFault::TimedOut { .. } => None,
    }
}
