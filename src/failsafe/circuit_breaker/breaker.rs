//! The breaker of one backend: asks the core whether a call may go, and tells it how calls ended.

use std::{sync::Arc, time::Duration};

use tracing::{trace, warn};

use crate::{
    failsafe::circuit_breaker::{
        cause::{Blame, Cause, CauseKind, Facts, SlowCall},
        changes::Change,
        config::{CircuitBreakerConfig, CircuitMode},
        failures::KEPT,
        history::{History, Owner, TransitionCount},
        permit::{Permit, Rejected},
        policy,
        state::CircuitState,
    },
    lockfree::{self, Breaker, Mode, Refused, Settled, Verdict, View},
    telemetry::{Clock, RequestId, Stamp},
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
    slow_after: Duration,
    /// The mode that the configuration sets, if results are not to decide.
    forced: Option<Mode>,
    /// Decides and reports, and lets every call go.
    shadow: bool,
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
        let owner = Owner {
            backend: name.into(),
            tool: None,
        };
        Self::of(owner, config, clock)
    }

    /// The breaker of one tool of the backend of this name.
    pub(in crate::failsafe) fn of_tool(
        (backend, tool): (&str, &str),
        config: &CircuitBreakerConfig,
        clock: Clock,
    ) -> Self {
        let owner = Owner {
            backend: backend.into(),
            tool: Some(tool.into()),
        };
        Self::of(owner, config, clock)
    }

    fn of(owner: Owner, config: &CircuitBreakerConfig, clock: Clock) -> Self {
        let config = &policy::nearest(config);
        let core = Breaker::new(policy::made(&owner, config));
        let forced = forced(config);
        if let Some(mode) = forced {
            core.force(mode, clock.now().millis());
        }
        Self {
            core,
            history: History::new(owner),
            clock,
            slow_after: config.slow_after(),
            forced,
            shadow: config.enabled && config.mode == CircuitMode::Shadow,
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
        let core = self.admit_for(None, now.millis())?;
        Ok(Permit::new(self, core, now.millis()))
    }

    /// The same for a request that has a name; what came of it is told to [`CircuitBreaker::succeeded`],
    /// [`CircuitBreaker::was_slow`] or [`CircuitBreaker::failed`] of this very breaker.
    #[inline]
    pub(in crate::failsafe) fn admit_for(
        &self,
        request_id: Option<RequestId>,
        now_ms: u64,
    ) -> Result<lockfree::Permit<'_>, Rejected> {
        match self.core.admit(now_ms) {
            Ok(permit) if permit.is_probe() => Ok(self.probe(permit, request_id, now_ms)),
            Ok(permit) => {
                trace!(
                    backend = self.history.backend(),
                    "Circuit closed, allowing request"
                );
                Ok(permit)
            }
            Err(refused) => self.refuse(refused, now_ms),
        }
    }

    #[cold]
    fn probe<'a>(
        &self,
        permit: lockfree::Permit<'a>,
        request_id: Option<RequestId>,
        now_ms: u64,
    ) -> lockfree::Permit<'a> {
        let facts = Facts {
            latency: None,
            request_id,
        };
        self.history.tell_probe(&permit, facts, now_ms);
        permit
    }

    /// A shadow lets the call go; what an operator has closed to calls stays closed.
    #[cold]
    fn refuse(&self, refused: Refused, now_ms: u64) -> Result<lockfree::Permit<'_>, Rejected> {
        let shadow = self.shadow && refused.mode == Mode::Automatic;
        let rejected = self.history.refuse(refused, shadow, now_ms);
        if shadow {
            return Ok(self.core.pass());
        }
        Err(rejected)
    }

    /// The call succeeded in time.
    #[inline]
    pub(in crate::failsafe) fn succeeded(
        &self,
        permit: lockfree::Permit<'_>,
        facts: Facts,
        now_ms: u64,
    ) {
        let settled = permit.success(now_ms);
        if settled != Settled::Quiet {
            self.history.tell(settled, None, facts, now_ms);
        }
    }

    /// The call succeeded and took too long.
    pub(in crate::failsafe) fn was_slow(
        &self,
        permit: lockfree::Permit<'_>,
        facts: Facts,
        now_ms: u64,
    ) -> Settled {
        let blame = self.slow_call(&facts);
        let cause = self.history.blame(&blame.blame(facts), now_ms);
        let settled = permit.slow(now_ms);
        self.history.tell(settled, Some(&cause), facts, now_ms);
        settled
    }

    /// The call failed.
    pub(in crate::failsafe) fn failed(
        &self,
        permit: lockfree::Permit<'_>,
        blame: &Blame<'_>,
        now_ms: u64,
    ) -> Settled {
        let cause = self.history.blame(blame, now_ms);
        let not_before_ms = self.history.not_before_ms(blame.not_before_ms(now_ms));
        let settled = permit.failure_until(now_ms, not_before_ms);
        self.history
            .tell(settled, Some(&cause), blame.facts, now_ms);
        settled
    }

    /// Counts a success that just ended.
    pub fn record_success(&self) {
        let now_ms = self.clock.now().millis();
        let settled = self.core.record(Verdict::Success, now_ms);
        self.history.tell(settled, None, Facts::default(), now_ms);
    }

    /// Counts a failure that just ended.
    pub fn record_failure(&self) {
        let now_ms = self.clock.now().millis();
        let blame = Blame::new(CauseKind::Reported, &"a failure was reported");
        let cause = self.history.blame(&blame, now_ms);
        let settled = self.core.record(Verdict::Failure, now_ms);
        self.history
            .tell(settled, Some(&cause), Facts::default(), now_ms);
    }

    /// Counts a success that just ended and took too long.
    pub(in crate::failsafe) fn record_slow(&self, latency: Duration) {
        let now_ms = self.clock.now().millis();
        let facts = Facts {
            latency: Some(latency),
            request_id: None,
        };
        let cause = self
            .history
            .blame(&self.slow_call(&facts).blame(facts), now_ms);
        let settled = self.core.record(Verdict::Slow, now_ms);
        self.history.tell(settled, Some(&cause), facts, now_ms);
    }

    /// Counts what a call came to that was sent before this breaker was made.
    pub(in crate::failsafe) fn charge(&self, verdict: Verdict, blame: &Blame<'_>, now_ms: u64) {
        let cause = self.history.blame(blame, now_ms);
        let settled = self.core.record_earlier(verdict, now_ms);
        self.history
            .tell(settled, Some(&cause), blame.facts, now_ms);
    }

    /// Counts a call that took too long and was sent before this breaker was made.
    pub(in crate::failsafe) fn charge_slow(&self, facts: Facts, now_ms: u64) {
        self.charge(Verdict::Slow, &self.slow_call(&facts).blame(facts), now_ms);
    }

    /// Whether calls flow. Open also when a probe is due and nobody has asked yet.
    #[must_use]
    pub fn state(&self) -> CircuitState {
        self.core.state().into()
    }

    /// Who decides on the state: results, or an operator.
    #[must_use]
    pub fn mode(&self) -> CircuitMode {
        self.shown(self.core.mode())
    }

    /// How long the circuit has not been closed; none while it is.
    #[must_use]
    pub fn open_for(&self) -> Option<Duration> {
        let now_ms = self.clock.now().millis();
        (self.state() != CircuitState::Closed).then(|| self.history.open_for(now_ms))
    }

    /// The last failure or slow call, or the last word of an operator; none if there was none yet.
    #[must_use]
    pub fn last_cause(&self) -> Option<Arc<Cause>> {
        self.history.cause()
    }

    /// Calls refused so far; in shadow mode those that would have been.
    #[must_use]
    pub fn rejected_total(&self) -> u64 {
        self.history.rejected_total()
    }

    /// How often it went to which state and why; what never happened is left out.
    pub fn transitions(&self) -> impl Iterator<Item = TransitionCount> {
        self.history.transitions()
    }

    /// Its last changes, at most 64, oldest first.
    #[must_use]
    pub fn changes(&self) -> Arc<Vec<Arc<Change>>> {
        self.history.changes()
    }

    /// Its last failures and slow calls, at most 64, oldest first.
    #[must_use]
    pub fn failures(&self) -> Vec<Arc<Cause>> {
        self.history.failures(KEPT)
    }

    /// Everything in the word of the breaker, as of now.
    pub(super) fn view(&self) -> View {
        self.core.view(self.clock.now().millis())
    }

    pub(super) fn shown(&self, mode: Mode) -> CircuitMode {
        match mode.into() {
            CircuitMode::Automatic if self.shadow => CircuitMode::Shadow,
            mode => mode,
        }
    }

    /// Refuses every call until somebody says otherwise.
    pub fn force_open(&self) {
        let blame = Blame::new(CauseKind::Operator, &"an operator opened the circuit");
        self.history.blame(&blame, self.clock.now().millis());
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

    /// Back to closed and fresh, with results deciding; or back to the mode that the configuration sets.
    pub fn reset(&self) {
        let now_ms = self.clock.now().millis();
        if let Some(mode) = self.forced {
            return self.force(mode);
        }
        let transition = self.core.reset(now_ms);
        self.history.tell_operator(transition, now_ms);
    }

    /// The name of the backend.
    pub(in crate::failsafe) fn backend(&self) -> &str {
        self.history.backend()
    }

    pub(in crate::failsafe) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(in crate::failsafe) const fn slow_after(&self) -> Duration {
        self.slow_after
    }

    /// The sentence about a slow call.
    pub(super) fn slow_call(&self, facts: &Facts) -> SlowCall {
        SlowCall {
            took: facts.latency.unwrap_or_default(),
            limit: self.slow_after,
        }
    }

    fn force(&self, mode: Mode) {
        let now_ms = self.clock.now().millis();
        let transition = self.core.force(mode, now_ms);
        self.history.tell_operator(transition, now_ms);
    }
}

/// The mode that an operator has written down, if it is one of the core's.
const fn forced(config: &CircuitBreakerConfig) -> Option<Mode> {
    match config.mode {
        _ if !config.enabled => Some(Mode::Disabled),
        CircuitMode::Automatic | CircuitMode::Shadow => None,
        CircuitMode::ForcedOpen => Some(Mode::ForcedOpen),
        CircuitMode::ForcedClosed => Some(Mode::ForcedClosed),
        CircuitMode::Disabled => Some(Mode::Disabled),
    }
}
