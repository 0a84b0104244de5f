//! What can be seen of a backend at a glance: nothing is merged and no history is read, so that it may be asked for every second.

use super::Backend;
use crate::failsafe::{CircuitMode, CircuitState};

/// The present of a backend. [`super::BackendStatus`] says more, and costs more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// One word for all below, as in [`super::BackendStatus::status`].
    pub status: &'static str,
    /// Whether a child runs or a session is open.
    pub running: bool,
    /// The breaker.
    pub circuit_state: CircuitState,
    /// Who decides on the breaker.
    pub circuit_mode: CircuitMode,
    /// Fewer than three failures in a row.
    pub healthy: bool,
    /// How often it was started again.
    pub restarts: u64,
    /// Calls that it is working on.
    pub in_flight: usize,
    /// Calls that wait for a place.
    pub queued: usize,
    /// Why no start is tried until somebody mends something.
    pub permanent: Option<Box<str>>,
    /// The last failure, as a sentence.
    pub last_error: Option<Box<str>>,
}

impl Backend {
    /// How it is now.
    #[must_use]
    pub fn glance(&self) -> Glance {
        let breaker = &self.failsafe().circuit_breaker;
        let circuit_state = breaker.state();
        let permanent = self.transport().permanent();
        let running = self.transport().is_running();
        let status = match circuit_state {
            _ if self.is_stopped() => "stopped",
            _ if permanent.is_some() => "failed",
            CircuitState::Open => "open",
            CircuitState::HalfOpen => "half-open",
            CircuitState::Closed if running => "ready",
            CircuitState::Closed => "idle",
        };
        Glance {
            status,
            running,
            circuit_state,
            circuit_mode: breaker.mode(),
            healthy: self.failsafe().health_tracker.is_healthy(),
            restarts: self.transport().restarts(),
            in_flight: self.queue().in_flight(),
            queued: self.queue().waiting(),
            permanent,
            last_error: breaker.last_cause().map(|cause| cause.text.clone()),
        }
    }

    /// What its transport is called.
    #[must_use]
    pub fn transport_name(&self) -> &'static str {
        self.transport().name()
    }

    /// The tools whose own circuit is not closed.
    #[must_use]
    pub fn open_tools(&self) -> Vec<Box<str>> {
        let circuits = self.failsafe().tool_circuits().into_iter();
        circuits
            .filter(|(_, breaker)| breaker.state() != CircuitState::Closed)
            .map(|(tool, _)| tool)
            .collect()
    }
}
