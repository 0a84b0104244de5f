//! A circuit breaker that is one 64-bit word: whether a call may go, and what its result changes.
//! Every change is one compare-exchange, and the caller that made it is the only one that is told of it.

mod answer;
mod atomic;
#[cfg(test)]
#[cfg(not(loom))]
mod model;
mod permit;
mod policy;
mod policy_error;
mod sliding;
mod step;
mod word;

pub use answer::{Mode, Refused, Settled, State, Transition, Verdict, View};
pub use atomic::Breaker;
pub use permit::Permit;
pub use policy::{Policy, PolicyBuilder, Rate, Rule};
pub use policy_error::PolicyError;
