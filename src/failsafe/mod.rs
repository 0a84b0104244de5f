//! The policy around a call, named and traced: breaker, health, retry, limits, and what an outcome means.
//! It decides and remembers; it sends nothing itself.

pub mod circuit_breaker;
pub mod duration;
mod facade;
pub mod health;
mod limits;
mod outcome;
pub mod retry;
mod settings;
mod ticket;
mod tools;
#[cfg(test)]
mod transcript;
mod why;

pub use circuit_breaker::{
    Cause, CauseKind, Change, CircuitBreaker, CircuitBreakerConfig, CircuitMode, CircuitState,
    Permit, Rejected, SlowCallConfig, ToolCircuitsConfig, Trail, TransitionCount, TripPolicy,
};
pub use facade::{Asker, Failsafe};
pub use health::{HealthMetrics, HealthTracker, RecentCalls};
pub use limits::{Place, Queue, QueueRefusal, RateLimit};
pub use outcome::{Outcome, Retry, Verdict};
pub use retry::{Attempt, RetryPolicy};
pub use settings::{
    Contradiction, FailsafeConfig, HealthCheckConfig, RateLimitConfig, RetryConfig,
};
pub use ticket::Ticket;
pub use tools::ToolCircuit;
pub use why::{ChangeReport, FailureReport, OutcomeReport, ToolReport, Why};
