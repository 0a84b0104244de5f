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
#[cfg(test)]
mod transcript;

pub use crate::lockfree::Mode;
pub use circuit_breaker::{
    Cause, CauseKind, CircuitBreaker, CircuitState, Permit, Rejected, TransitionCount,
};
pub use facade::{Failsafe, Ticket};
pub use health::{HealthMetrics, HealthTracker, RecentCalls};
pub use limits::{Place, Queue, QueueRefusal, RateLimit};
pub use outcome::{Outcome, Retry, Verdict};
pub use retry::{Attempt, RetryPolicy};
pub use settings::{
    CircuitBreakerConfig, Contradiction, FailsafeConfig, HealthCheckConfig, RateLimitConfig,
    RetryConfig, TripPolicy,
};
