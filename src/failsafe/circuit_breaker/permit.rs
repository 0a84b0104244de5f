//! Leave for one call, and what a caller is told that gets none.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    failsafe::{
        circuit_breaker::{
            breaker::CircuitBreaker,
            cause::{Cause, CauseKind},
            state::CircuitState,
        },
        outcome::Outcome,
    },
    lockfree::{self, Settled},
    telemetry::{Stamp, clock::millis},
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
    /// When it is worth asking again.
    pub retry_after: Duration,
    /// Open, or half-open with every probe under way.
    pub state: CircuitState,
    /// How long ago the breaker opened.
    pub open_for: Duration,
    /// The last failure, or the operator.
    pub cause: Option<Arc<Cause>>,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the circuit opened {:?} ago", self.open_for)?;
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
        let _ = self.succeed(ended_ms);
    }

    /// The call failed just now.
    pub fn failure(self) {
        let now = self.breaker.clock().now();
        let _ = self.fail(CauseKind::Reported, &"a failure was reported", now);
    }

    /// The call came to `outcome`, a failure, for the reason `cause`.
    pub(crate) fn failed(self, outcome: Outcome, cause: &dyn fmt::Display, now: Stamp) -> Settled {
        self.fail(CauseKind::Call(outcome), cause, now)
    }

    #[inline]
    pub(crate) fn succeed(self, now_ms: u64) -> Settled {
        let settled = self.core.success(now_ms);
        if settled != Settled::Quiet {
            self.breaker.history().tell(settled, None, now_ms);
        }
        settled
    }

    fn fail(self, kind: CauseKind, cause: &dyn fmt::Display, now: Stamp) -> Settled {
        let cause = self.breaker.history().blame(kind, cause);
        let settled = self.core.failure(now.millis());
        self.breaker
            .history()
            .tell(settled, Some(&cause), now.millis());
        settled
    }
}
