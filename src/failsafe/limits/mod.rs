//! How many calls may go at once, and how many in a length of time.
//! A refusal here is its own error with its own `retry_after`, and never touches the breaker.

mod queue;
mod rate;

pub use queue::{Place, Queue, QueueRefusal};
pub use rate::RateLimit;
