//! What is said instead of a result. Every JSON-RPC code and HTTP status that we choose ourselves is chosen here,
//! and so is the wording that a model reads when a backend did not answer.

mod plain;
mod recovery;
mod refusal;
mod unanswered;
mod wording;

pub(super) use plain::answered;
pub(super) use recovery::Recovery;
pub use refusal::Refusal;
pub(super) use unanswered::{failed_call, failed_tool};
pub(super) use wording::Quoted;
