//! What comes of a meta-tool, before it is put into words for a tool call or a method.

use bytes::Bytes;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::gateway::replies::{Recovery, Refusal};

/// What a meta-tool gives.
pub(super) enum Given {
    /// An object of our own.
    Object(Box<RawValue>),
    /// A backend's result of a tool call, to be handed on as it is.
    ToolResult(Bytes),
}

/// Why a meta-tool gives nothing.
pub(super) enum Trouble {
    /// It was asked for something that there is not, or that the caller may not do.
    Refused(Refusal),
    /// A tool call failed, which is a result for the model.
    ToolFailed(Recovery),
    /// Something else that a backend was asked for failed.
    Failed(Recovery),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Given {
    /// An object made of `value`.
    pub(super) fn object(value: &impl Serialize) -> Self {
        Self::Object(to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}
