//! The policy around a call, named and traced: breaker, health, retry, limits, and what an outcome means.
//! It decides and remembers; it sends nothing itself.

pub mod duration;
mod limits;
mod outcome;
pub mod retry;
mod settings;

pub use limits::{Place, Queue, QueueRefusal, RateLimit};
pub use outcome::{Outcome, Retry, Verdict};
pub use retry::{Attempt, RetryPolicy};
pub use settings::{
    CircuitBreakerConfig, Contradiction, FailsafeConfig, HealthCheckConfig, RateLimitConfig,
    RetryConfig, TripPolicy,
};
