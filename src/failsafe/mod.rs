//! The policy around a call, named and traced: breaker, health, retry, limits, and what an outcome means.
//! It decides and remembers; it sends nothing itself.

pub mod duration;
mod settings;

pub use settings::{
    CircuitBreakerConfig, Contradiction, FailsafeConfig, HealthCheckConfig, RateLimitConfig,
    RetryConfig, TripPolicy,
};
