//! Leave for one call, and what a caller is told that gets none.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    failsafe::circuit_breaker::{
        breaker::CircuitBreaker,
        cause::{Blame, Cause, CauseKind, Facts},
        state::CircuitState,
    },
    lockfree,
    telemetry::clock::millis,
};

/// Leave for one call. Report how it ended; a permit that is dropped gives its place back and counts neither way.
#[derive(Debug)]
#[must_use = "a permit that is dropped counts as abandoned"]
pub struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    core: lockfree::Permit<'a>,
    admitted_ms: u64,
}

/// No leave: nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The tool whose own breaker refused; none if it was the backend's.
    pub tool: Option<Box<str>>,
    /// When it is worth asking again. An operator who refuses says no time: this is then the reset timeout.
    pub retry_after: Duration,
    /// Whether an operator refused, and not the results of calls.
    pub by_operator: bool,
    /// Open, or half-open with every probe under way.
    pub state: CircuitState,
    /// How long ago the breaker opened.
    pub open_for: Duration,
    /// The last failure or slow call, or the operator.
    pub cause: Option<Arc<Cause>>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tool {
            Some(tool) => write!(f, "the circuit of the tool {tool} opened ")?,
            None => f.write_str("the circuit opened ")?,
        }
        write!(f, "{:?} ago", self.open_for)?;
        if let Some(cause) = &self.cause {
            write!(f, " ({cause})")?;
        }
        write!(
            f,
            ", so the call was not sent; try again in {:?}",
            self.retry_after
        )
    }
}

impl std::error::Error for Rejected {}

impl<'a> Permit<'a> {
    pub(super) const fn new(
        breaker: &'a CircuitBreaker,
        core: lockfree::Permit<'a>,
        admitted_ms: u64,
    ) -> Self {
        Self {
            breaker,
            core,
            admitted_ms,
        }
    }

    /// Whether this call is one of the few that decide if the breaker closes.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.core.is_probe()
    }

    /// Lets the call go without its permit: its result comes by [`CircuitBreaker::record_success`] or
    /// [`CircuitBreaker::record_failure`].
    pub(super) fn detach(self) {
        self.core.detach();
    }

    /// The call succeeded and took `latency` from the moment it was admitted.
    pub fn success(self, latency: Duration) {
        let ended_ms = self.admitted_ms.saturating_add(millis(latency));
        let facts = Facts {
            latency: Some(latency),
            request_id: None,
        };
        if latency < self.breaker.slow_after() {
            self.breaker.succeeded(self.core, facts, ended_ms);
        } else {
            let _ = self.breaker.was_slow(self.core, facts, ended_ms);
        }
    }

    /// The call failed just now.
    pub fn failure(self) {
        let now_ms = self.breaker.clock().now().millis();
        let blame = Blame::new(CauseKind::Reported, &"a failure was reported");
        let _ = self.breaker.failed(self.core, &blame, now_ms);
    }
}
