//! What people are told when a breaker changes or refuses: each change once, refusals at most once a second.

use std::time::Duration;

use tracing::{debug, info, warn};

use crate::{
    failsafe::circuit_breaker::{
        cause::{Cause, CauseKind, Facts},
        config::CircuitMode,
        history::{History, Made},
        permit::Rejected,
        state::CircuitState,
    },
    lockfree::{self, Mode, Refused, Settled, State, Transition},
};

impl History {
    /// Logs and counts what a result changed. The core tells each change to one caller only, so each is told once.
    /// `cause` is that of a failure; `by` the call that ended.
    pub(super) fn tell(&self, settled: Settled, cause: Option<&Cause>, by: Facts, at_ms: u64) {
        let (backend, tool) = (self.backend(), self.tool());
        let made = |cause, failures| Made {
            at_ms,
            cause,
            failures,
            by,
        };
        match settled {
            Settled::Quiet | Settled::Stale => {}
            Settled::Counted {
                failures,
                threshold,
            } if self.is_said(at_ms) => warn!(
                backend,
                tool, failures, threshold, "Failure in closed state"
            ),
            Settled::Counted {
                failures,
                threshold,
            } => debug!(
                backend,
                tool, failures, threshold, "Failure in closed state"
            ),
            Settled::ProbeSucceeded { successes, needed } => {
                debug!(backend, tool, successes, needed, "Probe succeeded");
            }
            Settled::Opened {
                failures,
                retry_in_ms,
                reopened,
            } => {
                if !reopened {
                    self.opened(at_ms);
                }
                let kind = cause.map_or(CauseKind::Reported, |cause| cause.kind);
                self.tell_opened(made(kind, failures), cause, retry_in_ms);
            }
            Settled::Closed => self.tell_closed(made(CauseKind::Recovered, 0)),
        }
    }

    /// Logs and counts what an operator changed.
    pub(super) fn tell_operator(&self, transition: Option<Transition>, at_ms: u64) {
        let Some(Transition { from, to, mode }) = transition else {
            return;
        };
        let made = Made {
            at_ms,
            cause: CauseKind::Operator,
            failures: 0,
            by: Facts::default(),
        };
        let mode = CircuitMode::from(mode).label();
        info!(
            backend = self.backend(),
            tool = self.tool(),
            mode,
            "Circuit breaker mode set"
        );
        if to == State::Open && from == State::Closed {
            self.opened(at_ms);
        }
        match (from, to) {
            (State::Closed | State::HalfOpen, State::Open) => {
                self.tell_opened(made, self.cause().as_deref(), 0);
            }
            (State::Open | State::HalfOpen, State::Closed) => self.tell_closed(made),
            _ => {}
        }
    }

    /// Logs a probe; counts the change if it made one.
    #[cold]
    pub(super) fn tell_probe(&self, permit: &lockfree::Permit<'_>, by: Facts, at_ms: u64) {
        let (backend, tool) = (self.backend(), self.tool());
        if permit.entered_half_open() {
            let made = Made {
                at_ms,
                cause: CauseKind::ProbeDue,
                failures: 0,
                by,
            };
            self.changed(CircuitState::HalfOpen, made);
            info!(backend, tool, "Circuit breaker half-open");
        }
        debug!(backend, tool, "Circuit half-open, allowing probe");
    }

    /// Counts a refusal and says all that is known about it. In shadow mode the call goes all the same.
    #[cold]
    pub(super) fn refuse(&self, refused: Refused, shadow: bool, now_ms: u64) -> Rejected {
        let rejected = Rejected {
            tool: self.tool().map(Into::into),
            retry_after: Duration::from_millis(refused.retry_after_ms),
            by_operator: refused.mode == Mode::ForcedOpen,
            state: refused.state.into(),
            open_for: self.open_for(now_ms),
            cause: self.cause(),
        };
        if let Some(refused) = self.refused(now_ms) {
            let what = if shadow {
                "Circuit open in shadow mode, letting requests pass"
            } else {
                "Circuit open, refusing requests"
            };
            warn!(
                backend = self.backend(),
                tool = self.tool(),
                refused,
                cause = rejected.cause.as_ref().map(|cause| &*cause.text),
                retry_in = ?rejected.retry_after,
                "{what}"
            );
        }
        rejected
    }

    fn tell_opened(&self, made: Made, cause: Option<&Cause>, retry_in_ms: u64) {
        self.changed(CircuitState::Open, made);
        warn!(
            backend = self.backend(),
            tool = self.tool(),
            failures = made.failures,
            cause = cause.map(|cause| &*cause.text),
            retry_in = ?Duration::from_millis(retry_in_ms),
            "Circuit breaker opened"
        );
    }

    fn tell_closed(&self, made: Made) {
        self.changed(CircuitState::Closed, made);
        let open_for = self.open_for(made.at_ms);
        info!(
            backend = self.backend(),
            tool = self.tool(),
            ?open_for,
            "Circuit breaker closed"
        );
    }
}
