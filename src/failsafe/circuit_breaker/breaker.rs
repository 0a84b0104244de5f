//! The breaker of one backend: asks the core whether a call may go, and tells it how calls ended.

use std::{sync::Arc, time::Duration};

use tracing::{trace, warn};

use crate::{
    failsafe::{
        circuit_breaker::{
            cause::{Cause, CauseKind},
            history::{History, TransitionCount},
            permit::{Permit, Rejected},
            policy,
            state::CircuitState,
        },
        settings::CircuitBreakerConfig,
    },
    lockfree::{Breaker, Mode, Verdict},
    telemetry::{Clock, Stamp},
};

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
            core,
            history: History::new(name),
            clock,
        }
    }

    /// Whether a call may go. A caller that gets true reports with [`CircuitBreaker::record_success`] or
    /// [`CircuitBreaker::record_failure`]: while half-open it holds one of the few places until then.
    /// A result told this way cannot be known to be late. [`CircuitBreaker::try_acquire`] does the same with a permit,
    /// which cannot be forgotten, and whose late result changes nothing.
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
                    self.history.tell_probe(&permit);
                } else {
                    trace!(
                        backend = self.history.backend(),
                        "Circuit closed, allowing request"
                    );
                }
                Ok(Permit::new(self, permit, now_ms))
            }
            Err(refused) => Err(self.history.refuse(refused, now_ms)),
        }
    }

    /// Counts a success that just ended.
    pub fn record_success(&self) {
        let now_ms = self.clock.now().millis();
        let settled = self.core.record(Verdict::Success, now_ms);
        self.history.tell(settled, None, now_ms);
    }

    /// Counts a failure that just ended.
    pub fn record_failure(&self) {
        let now_ms = self.clock.now().millis();
        let cause = self
            .history
            .blame(CauseKind::Reported, &"a failure was reported");
        let settled = self.core.record(Verdict::Failure, now_ms);
        self.history.tell(settled, Some(&cause), now_ms);
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
        self.history
            .blame(CauseKind::Operator, &"an operator opened the circuit");
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
        self.history.tell_operator(transition, now_ms);
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) const fn history(&self) -> &History {
        &self.history
    }

    fn force(&self, mode: Mode) {
        let now_ms = self.clock.now().millis();
        let transition = self.core.force(mode, now_ms);
        self.history.tell_operator(transition, now_ms);
    }
}
