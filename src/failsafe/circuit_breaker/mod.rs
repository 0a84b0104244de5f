//! Whether calls to one backend flow: closed they do, open they are refused at once, half-open a few probes decide.
//! The decision is one word of the lock-free core; here it gets a name, a reason, log lines and counts.

mod breaker;
mod cause;
mod changes;
mod config;
mod failures;
mod history;
mod permit;
mod policy;
mod state;
mod summary;
mod telling;

pub use breaker::CircuitBreaker;
pub(super) use cause::{Blame, Facts};
pub use cause::{Cause, CauseKind};
pub use changes::{Change, Trail};
pub use config::{
    CircuitBreakerConfig, CircuitMode, SlowCallConfig, ToolCircuitsConfig, TripPolicy,
};
pub use history::TransitionCount;
pub use permit::{Permit, Rejected};
pub use state::CircuitState;

#[cfg(test)]
mod mode_tests;
#[cfg(test)]
mod tests;
