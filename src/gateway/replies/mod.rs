//! What is said instead of a result. Every JSON-RPC code and HTTP status that we choose ourselves is chosen here,
//! and so is the wording that a model reads when a backend did not answer.

mod recovery;
mod refusal;
mod wording;

pub use refusal::Refusal;
