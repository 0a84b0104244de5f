//! What people are told when a breaker changes or refuses: each change once, refusals at most once a second.

use std::time::Duration;

use tracing::{debug, info, warn};

use crate::{
    failsafe::circuit_breaker::{
        cause::{Cause, CauseKind},
        history::History,
        permit::Rejected,
        state::CircuitState,
    },
    lockfree::{self, Refused, Settled, State, Transition},
};

impl History {
    /// Logs and counts what a result changed. The core tells each change to one caller only, so each is told once.
    pub(super) fn tell(&self, settled: Settled, cause: Option<&Cause>, now_ms: u64) {
        let backend = self.backend();
        match settled {
            Settled::Quiet | Settled::Stale => {}
            Settled::Counted {
                failures,
                threshold,
            } => warn!(backend, failures, threshold, "Failure in closed state"),
            Settled::ProbeSucceeded { successes, needed } => {
                debug!(backend, successes, needed, "Probe succeeded");
            }
            Settled::Opened {
                failures,
                retry_in_ms,
                reopened,
            } => {
                if !reopened {
                    self.opened(now_ms);
                }
                self.tell_opened(failures, cause, retry_in_ms);
            }
            Settled::Closed => self.tell_closed(CauseKind::Recovered, now_ms),
        }
    }

    /// Logs and counts what an operator changed.
    pub(super) fn tell_operator(&self, transition: Option<Transition>, now_ms: u64) {
        let Some(Transition { from, to, mode }) = transition else {
            return;
        };
        info!(backend = self.backend(), ?mode, "Circuit breaker mode set");
        match (from, to) {
            (State::Closed, State::Open) => {
                self.opened(now_ms);
                self.tell_opened(0, self.cause().as_deref(), 0);
            }
            (State::HalfOpen, State::Open) => {
                self.tell_opened(0, self.cause().as_deref(), 0);
            }
            (State::Open | State::HalfOpen, State::Closed) => {
                self.tell_closed(CauseKind::Operator, now_ms);
            }
            _ => {}
        }
    }

    /// Logs a probe; counts the change if it made one.
    #[cold]
    pub(super) fn tell_probe(&self, permit: &lockfree::Permit<'_>) {
        if permit.entered_half_open() {
            self.count(CircuitState::HalfOpen, CauseKind::ProbeDue);
            info!(backend = self.backend(), "Circuit breaker half-open");
        }
        debug!(
            backend = self.backend(),
            "Circuit half-open, allowing probe"
        );
    }

    /// Counts a refusal and says all that is known about it.
    #[cold]
    pub(super) fn refuse(&self, refused: Refused, now_ms: u64) -> Rejected {
        let rejected = Rejected {
            retry_after: Duration::from_millis(refused.retry_after_ms),
            state: refused.state.into(),
            open_for: self.open_for(now_ms),
            cause: self.cause(),
        };
        if let Some(refused) = self.refused(now_ms) {
            warn!(
                backend = self.backend(),
                refused,
                cause = rejected.cause.as_ref().map(|cause| &*cause.text),
                retry_in = ?rejected.retry_after,
                "Circuit open, refusing requests"
            );
        }
        rejected
    }

    fn tell_opened(&self, failures: u32, cause: Option<&Cause>, retry_in_ms: u64) {
        let kind = cause.map_or(CauseKind::Reported, |cause| cause.kind);
        self.count(CircuitState::Open, kind);
        warn!(
            backend = self.backend(),
            failures,
            cause = cause.map(|cause| &*cause.text),
            retry_in = ?Duration::from_millis(retry_in_ms),
            "Circuit breaker opened"
        );
    }

    fn tell_closed(&self, kind: CauseKind, now_ms: u64) {
        self.count(CircuitState::Closed, kind);
        let open_for = self.open_for(now_ms);
        info!(
            backend = self.backend(),
            ?open_for,
            "Circuit breaker closed"
        );
    }
}
