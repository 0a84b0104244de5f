//! The policy around a call, named and traced: breaker, health, retry, limits, and what an outcome means.
//! It decides and remembers; it sends nothing itself.
//!
//! # Protecting a call
//!
//! One [`Failsafe`] stands for one thing that can fail: a server, a database, a queue. Ask it before each call with
//! [`Failsafe::admit`], and tell it with [`Ticket::settle`] what the call came to; a ticket that is dropped, because its
//! caller went away or panicked, counts neither way. Any number of threads and tasks share it, and nobody ever waits.
//! `examples/guard_a_call.rs` in the repository guards a connection and can be run.
//!
//! ```
//! use mcp_gateway::{failsafe::{Failsafe, FailsafeConfig, Outcome}, telemetry::Clock};
//!
//! let clock = Clock::new();
//! let failsafe = Failsafe::with_clock("search", &FailsafeConfig::default(), clock.clone());
//! for _ in 0..5 {
//!     let ticket = failsafe.admit(clock.now())?;
//!     ticket.settle(Outcome::Timeout, &"no answer within 30 s", clock.now());
//! }
//! let rejected = failsafe.admit(clock.now()).unwrap_err();
//! assert!(rejected.to_string().contains("no answer within 30 s"));
//! assert!(failsafe.why().summary.contains("after 5 failures"));
//! # Ok::<(), mcp_gateway::failsafe::Rejected>(())
//! ```
//!
//! [`CircuitBreaker`] and [`HealthTracker`] work alone too. How the breaker decides, its word, its transitions and its
//! orderings are explained where they are made: in [`lockfree`](crate::lockfree).

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
