//! The breaker of one backend: asks the core, and tells people what changed.

use std::{fmt, sync::Arc, time::Duration};

use serde::Serialize;
use tracing::{debug, info, trace, warn};

use crate::{
    failsafe::{
        circuit_breaker::{
            cause::{Cause, CauseKind},
            history::{History, TransitionCount},
            permit::{Permit, Rejected},
            policy,
        },
        settings::CircuitBreakerConfig,
    },
    lockfree::{self, Breaker, Mode, Refused, Settled, State, Transition, Verdict},
    telemetry::{Clock, Stamp},
};

/// Whether calls flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum CircuitState {
    /// They do.
    Closed,
    /// They are refused until a probe is due.
    Open,
    /// A few probes are let through; their results decide.
    HalfOpen,
}

impl CircuitState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Open, Self::HalfOpen];

    /// Its name in metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl From<State> for CircuitState {
    fn from(state: State) -> Self {
        match state {
            State::Closed => Self::Closed,
            State::Open => Self::Open,
            State::HalfOpen => Self::HalfOpen,
        }
    }
}

/// The circuit breaker of one backend. Any number of threads may share it; nobody ever waits.
///
/// ```
/// use mcp_gateway::failsafe::{CircuitBreaker, CircuitBreakerConfig, CircuitState};
/// use std::time::Duration;
///
/// let config = CircuitBreakerConfig { failure_threshold: 2, ..Default::default() };
/// let breaker = CircuitBreaker::new("search", &config);
/// for _ in 0..2 {
///     breaker.try_acquire()?.failure();
/// }
/// assert_eq!(breaker.state(), CircuitState::Open);
/// let rejected = breaker.try_acquire().unwrap_err();
/// assert!(rejected.retry_after > Duration::from_secs(29));
/// # Ok::<(), mcp_gateway::failsafe::Rejected>(())
/// ```
#[derive(Debug)]
pub struct CircuitBreaker {
    name: Box<str>,
    core: Breaker,
    history: History,
    clock: Clock,
}

impl CircuitBreaker {
    /// A closed breaker for the backend of this name. Settings that cannot work ([`CircuitBreakerConfig::validate`])
    /// are brought to the nearest that do, with a warning in the log.
    #[must_use]
    pub fn new(name: &str, config: &CircuitBreakerConfig) -> Self {
        Self::with_clock(name, config, Clock::new())
    }

    /// The same on a clock that is handed in.
    #[must_use]
    pub fn with_clock(name: &str, config: &CircuitBreakerConfig, clock: Clock) -> Self {
        if let Err(contradiction) = config.validate() {
            warn!(backend = name, %contradiction, "Circuit breaker settings replaced by the nearest that work");
        }
        let core = Breaker::new(policy::nearest(name, config));
        if !config.enabled {
            core.force(Mode::Disabled, clock.now().millis());
        }
        Self {
            name: name.into(),
            core,
            history: History::new(),
            clock,
        }
    }

    /// Whether a call may go. A caller that gets true reports with [`CircuitBreaker::record_success`] or
    /// [`CircuitBreaker::record_failure`]: while half-open it holds one of the few places until then.
    /// [`CircuitBreaker::try_acquire`] does the same and cannot be forgotten.
    #[must_use]
    pub fn can_proceed(&self) -> bool {
        self.try_acquire().map(Permit::detach).is_ok()
    }

    /// Asks for leave for one call.
    ///
    /// # Errors
    /// While open, and while half-open with every probe under way: when to ask again, and why.
    pub fn try_acquire(&self) -> Result<Permit<'_>, Rejected> {
        self.admit(self.clock.now())
    }

    /// The same at a moment that the caller knows already; the clock is not read. While closed this writes nothing.
    ///
    /// # Errors
    /// As [`CircuitBreaker::try_acquire`].
    #[inline]
    pub fn admit(&self, now: Stamp) -> Result<Permit<'_>, Rejected> {
        let now_ms = now.millis();
        match self.core.admit(now_ms) {
            Ok(permit) => {
                if permit.is_probe() {
                    self.tell_probe(&permit);
                } else {
                    trace!(backend = &*self.name, "Circuit closed, allowing request");
                }
                Ok(Permit::new(self, permit, now_ms))
            }
            Err(refused) => Err(self.refuse(refused, now_ms)),
        }
    }

    /// Counts a success that just ended.
    pub fn record_success(&self) {
        let now_ms = self.clock.now().millis();
        let settled = self.core.record(Verdict::Success, now_ms);
        self.tell(settled, None, now_ms);
    }

    /// Counts a failure that just ended.
    pub fn record_failure(&self) {
        let now_ms = self.clock.now().millis();
        let cause = self.blame(CauseKind::Reported, &"a failure was reported");
        let settled = self.core.record(Verdict::Failure, now_ms);
        self.tell(settled, Some(&cause), now_ms);
    }

    /// Whether calls flow. Open also when a probe is due and nobody has asked yet.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.core.view(0).state.into()
    }

    /// Who decides on the state: results, or an operator.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.core.view(0).mode
    }

    /// How long the circuit has not been closed; none while it is.
    #[must_use]
    pub fn open_for(&self) -> Option<Duration> {
        let now_ms = self.clock.now().millis();
        (self.state() != CircuitState::Closed).then(|| self.history.open_for(now_ms))
    }

    /// The last failure, or the last word of an operator; none if there was none yet.
    #[must_use]
    pub fn last_cause(&self) -> Option<Arc<Cause>> {
        self.history.cause()
    }

    /// Calls refused so far.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.history.rejected_total()
    }

    /// How often it went to which state and why; what never happened is left out.
    pub fn transitions(&self) -> impl Iterator<Item = TransitionCount> {
        self.history.transitions()
    }

    /// Refuses every call until somebody says otherwise.
    pub fn force_open(&self) {
        self.blame(CauseKind::Operator, &"an operator opened the circuit");
        self.force(Mode::ForcedOpen);
    }

    /// Lets every call go until somebody says otherwise; failures are still counted.
    pub fn force_close(&self) {
        self.force(Mode::ForcedClosed);
    }

    /// Lets every call go and counts nothing, until somebody says otherwise.
    pub fn disable(&self) {
        self.force(Mode::Disabled);
    }

    /// Back to closed and fresh, with results deciding.
    pub fn reset(&self) {
        let now_ms = self.clock.now().millis();
        let transition = self.core.reset(now_ms);
        self.tell_operator(transition, now_ms);
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Keeps the cause of a failure. Before the core hears of the failure: whoever is refused because of it finds the cause.
    pub(super) fn blame(&self, kind: CauseKind, cause: &dyn fmt::Display) -> Arc<Cause> {
        let cause = Arc::new(Cause {
            kind,
            text: cause.to_string().into(),
        });
        self.history.blame(Arc::clone(&cause));
        cause
    }

    /// Logs and counts what a result changed. The core tells each change to one caller only, so each is told once.
    pub(super) fn tell(&self, settled: Settled, cause: Option<&Cause>, now_ms: u64) {
        let backend = &*self.name;
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
                    self.history.opened(now_ms);
                }
                self.tell_opened(failures, cause, retry_in_ms);
            }
            Settled::Closed => self.tell_closed(CauseKind::Recovered, now_ms),
        }
    }

    fn force(&self, mode: Mode) {
        let now_ms = self.clock.now().millis();
        let transition = self.core.force(mode, now_ms);
        self.tell_operator(transition, now_ms);
    }

    fn tell_operator(&self, transition: Option<Transition>, now_ms: u64) {
        let Some(Transition { from, to, mode }) = transition else {
            return;
        };
        info!(backend = &*self.name, ?mode, "Circuit breaker mode set");
        match (from, to) {
            (State::Closed, State::Open) => {
                self.history.opened(now_ms);
                self.tell_opened(0, self.history.cause().as_deref(), 0);
            }
            (State::HalfOpen, State::Open) => {
                self.tell_opened(0, self.history.cause().as_deref(), 0);
            }
            (State::Open | State::HalfOpen, State::Closed) => {
                self.tell_closed(CauseKind::Operator, now_ms);
            }
            _ => {}
        }
    }

    fn tell_opened(&self, failures: u32, cause: Option<&Cause>, retry_in_ms: u64) {
        let kind = cause.map_or(CauseKind::Reported, |cause| cause.kind);
        self.history.count(CircuitState::Open, kind);
        warn!(
            backend = &*self.name,
            failures,
            cause = cause.map(|cause| &*cause.text),
            retry_in = ?Duration::from_millis(retry_in_ms),
            "Circuit breaker opened"
        );
    }

    fn tell_closed(&self, kind: CauseKind, now_ms: u64) {
        self.history.count(CircuitState::Closed, kind);
        let open_for = self.history.open_for(now_ms);
        info!(backend = &*self.name, ?open_for, "Circuit breaker closed");
    }

    #[cold]
    fn tell_probe(&self, permit: &lockfree::Permit<'_>) {
        if permit.entered_half_open() {
            self.history
                .count(CircuitState::HalfOpen, CauseKind::ProbeDue);
            info!(backend = &*self.name, "Circuit breaker half-open");
        }
        debug!(backend = &*self.name, "Circuit half-open, allowing probe");
    }

    #[cold]
    fn refuse(&self, refused: Refused, now_ms: u64) -> Rejected {
        let rejected = Rejected {
            retry_after: Duration::from_millis(refused.retry_after_ms),
            state: refused.state.into(),
            open_for: self.history.open_for(now_ms),
            cause: self.history.cause(),
        };
        if let Some(refused) = self.history.refused(now_ms) {
            warn!(
                backend = &*self.name,
                refused,
                cause = rejected.cause.as_ref().map(|cause| &*cause.text),
                retry_in = ?rejected.retry_after,
                "Circuit open, refusing requests"
            );
        }
        rejected
    }
}
