//! Everything that surrounds the calls to one backend, in one value: ask it before a call, tell it after.

use std::{sync::Arc, time::Duration};

use crate::{
    failsafe::{
        circuit_breaker::{CircuitBreaker, Rejected},
        health::{HealthMetrics, HealthTracker},
        limits::RateLimit,
        retry::RetryPolicy,
        settings::FailsafeConfig,
        ticket::Ticket,
        tools::{ToolCircuit, ToolCircuits},
    },
    lockfree::FlightRecorder,
    telemetry::{Clock, RequestId, Stamp},
};

/// The policy around the calls to one backend. Any number of threads may share it.
///
/// ```
/// use mcp_gateway::failsafe::{Failsafe, FailsafeConfig, Outcome, Rejected};
/// use mcp_gateway::telemetry::Clock;
///
/// async fn search(query: &str) -> Result<String, std::io::Error> {
///     Ok(format!("results for {query}"))
/// }
///
/// async fn guarded(failsafe: &Failsafe, clock: &Clock) -> Result<Option<String>, Rejected> {
///     // From here on the call has a ticket. If this future is dropped, so is the ticket, and nothing is counted.
///     let ticket = failsafe.admit(clock.now())?;
///     match search("rust").await {
///         Ok(found) => {
///             ticket.settle(Outcome::Success, &"", clock.now());
///             Ok(Some(found))
///         }
///         Err(error) => {
///             ticket.settle(Outcome::Lost, &error, clock.now());
///             Ok(None)
///         }
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let clock = Clock::new();
/// let failsafe = Failsafe::with_clock("search", &FailsafeConfig::default(), clock.clone());
/// assert_eq!(guarded(&failsafe, &clock).await?.as_deref(), Some("results for rust"));
/// assert_eq!(failsafe.health_metrics().success_count, 1);
/// # Ok::<(), Rejected>(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Failsafe {
    /// Whether calls flow.
    pub circuit_breaker: CircuitBreaker,
    /// How the backend does.
    pub health_tracker: Arc<HealthTracker>,
    pub(super) tools: ToolCircuits,
    pub(super) flight: FlightRecorder,
    /// From so many nanoseconds on a call is slow.
    pub(super) slow_after_ns: u64,
    rate: RateLimit,
    retry: RetryPolicy,
}

/// Who asks for leave.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asker<'a> {
    /// The tool that is called: if its own circuit is open, the call is refused too.
    pub tool: Option<&'a ToolCircuit>,
    /// The name of the request, for the flight recorder.
    pub request_id: Option<RequestId>,
}

impl Failsafe {
    /// The policy for the backend of this name. Settings that cannot work ([`FailsafeConfig::contradictions`])
    /// are brought to the nearest that do.
    #[must_use]
    pub fn new(name: &str, config: &FailsafeConfig) -> Self {
        Self::with_clock(name, config, Clock::new())
    }

    /// The same on a clock that is handed in: the one that made the stamps of [`Failsafe::admit`].
    #[must_use]
    pub fn with_clock(name: &str, config: &FailsafeConfig, clock: Clock) -> Self {
        let circuit_breaker =
            CircuitBreaker::with_clock(name, &config.circuit_breaker, clock.clone());
        let slow_after = circuit_breaker.slow_after();
        Self {
            circuit_breaker,
            health_tracker: Arc::new(HealthTracker::with_clock(name, clock.clone())),
            tools: ToolCircuits::new(name, &config.circuit_breaker, clock.clone()),
            flight: FlightRecorder::new(),
            slow_after_ns: u64::try_from(slow_after.as_nanos()).unwrap_or(u64::MAX),
            rate: RateLimit::new(&config.rate_limit, clock),
            retry: RetryPolicy::new(&config.retry),
        }
    }

    /// Whether a call may go; its result comes by [`Failsafe::record_success`] or [`Failsafe::record_failure`].
    /// [`Failsafe::admit`] does the same and cannot be forgotten.
    #[must_use]
    pub fn can_proceed(&self) -> bool {
        self.circuit_breaker.can_proceed()
    }

    /// Records a call that succeeded just now and took `latency`.
    pub fn record_success(&self, latency: Duration) {
        self.health_tracker.record_success(latency);
        if latency < self.circuit_breaker.slow_after() {
            self.circuit_breaker.record_success();
        } else {
            self.circuit_breaker.record_slow(latency);
        }
    }

    /// Records a call that failed just now.
    pub fn record_failure(&self) {
        self.health_tracker.record_failure();
        self.circuit_breaker.record_failure();
    }

    /// How the backend does.
    #[must_use]
    pub fn health_metrics(&self) -> HealthMetrics {
        self.health_tracker.metrics()
    }

    /// Takes one call from the rate limit.
    ///
    /// # Errors
    /// The time until the next call may go.
    pub fn rate_limit(&self) -> Result<(), Duration> {
        self.rate.take()
    }

    /// Asks for leave for one call at `now`, right before it is sent. While the circuit is closed this writes nothing.
    ///
    /// # Errors
    /// When to ask again, and why.
    #[inline]
    pub fn admit(&self, now: Stamp) -> Result<Ticket<'_>, Rejected> {
        self.admit_for(Asker::default(), now)
    }

    /// The same for a call that says more of itself: the backend's circuit and that of the tool must both let it go.
    ///
    /// # Errors
    /// As [`Failsafe::admit`]; `tool` says whose circuit refused.
    #[inline]
    pub fn admit_for<'a>(&'a self, asker: Asker<'a>, now: Stamp) -> Result<Ticket<'a>, Rejected> {
        let now_ms = now.millis();
        let permit = self.circuit_breaker.admit_for(asker.request_id, now_ms)?;
        let of_tool = match asker.tool.and_then(ToolCircuit::breaker) {
            Some(breaker) => Some(breaker.admit_for(asker.request_id, now_ms)?),
            None => None,
        };
        Ok(Ticket::new(self, asker, (permit, of_tool), now))
    }

    /// The tool of this name, for the calls that ask for it. Its breaker is made when it fails for the first time.
    #[must_use]
    pub fn tool(&self, name: &str) -> ToolCircuit {
        self.tools.tool(name)
    }

    /// The breakers of those tools that have failed, by name.
    #[must_use]
    pub fn tool_circuits(&self) -> Vec<(Box<str>, Arc<CircuitBreaker>)> {
        self.tools.all()
    }

    /// Back to closed and fresh, the circuits of the tools too.
    pub fn reset(&self) {
        self.circuit_breaker.reset();
        for (_, breaker) in self.tools.all() {
            breaker.reset();
        }
    }

    /// When a call is sent again.
    #[must_use]
    pub const fn retry(&self) -> &RetryPolicy {
        &self.retry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failsafe::{CircuitState, Outcome, Verdict};

    fn failsafe() -> (Failsafe, Clock, impl Fn(Duration)) {
        let (clock, advance) = Clock::mocked();
        let config = FailsafeConfig::default();
        let failsafe = Failsafe::with_clock("search", &config, clock.clone());
        (failsafe, clock, advance)
    }

    #[test]
    fn each_outcome_moves_breaker_and_health_as_its_verdict_says() {
        for outcome in Outcome::ALL {
            let (failsafe, clock, advance) = failsafe();
            for _ in 0..5 {
                let ticket = failsafe.admit(clock.now()).unwrap();
                advance(Duration::from_millis(250));
                ticket.settle(outcome, &"it broke", clock.now());
            }
            let metrics = failsafe.health_metrics();
            let counted = (metrics.success_count, metrics.failure_count);
            let (expected, state) = match outcome.verdict() {
                Verdict::Success => ((5, 0), CircuitState::Closed),
                Verdict::Failure => ((0, 5), CircuitState::Open),
                Verdict::Neither => ((0, 0), CircuitState::Closed),
            };
            assert_eq!(counted, expected, "{outcome:?}");
            assert_eq!(failsafe.circuit_breaker.state(), state, "{outcome:?}");
            assert_eq!(
                failsafe.health_tracker.is_healthy(),
                state == CircuitState::Closed
            );
        }
    }

    #[test]
    fn the_latency_of_a_call_runs_from_its_ticket_to_its_settling() {
        let (failsafe, clock, advance) = failsafe();
        advance(Duration::from_secs(9));
        let ticket = failsafe.admit(clock.now()).unwrap();
        advance(Duration::from_micros(1_500));
        ticket.settle(Outcome::Success, &"", clock.now());
        let median = failsafe.health_metrics().latency_p50_ms.unwrap();
        assert!((median - 1.5).abs() < 0.015, "{median}");
    }

    #[test]
    fn failures_from_before_an_outage_that_is_over_leave_the_backend_healthy() {
        let (failsafe, clock, advance) = failsafe();
        let late: Vec<_> = (0..9)
            .map(|_| failsafe.admit(clock.now()).unwrap())
            .collect();
        for _ in 0..5 {
            failsafe.record_failure();
        }
        assert!(!failsafe.health_tracker.is_healthy());
        advance(Duration::from_secs(33));
        for _ in 0..3 {
            assert!(failsafe.can_proceed());
            failsafe.record_success(Duration::from_millis(1));
        }
        for ticket in late {
            ticket.settle(Outcome::Timeout, &"no answer", clock.now());
        }
        let metrics = failsafe.health_metrics();
        assert!(metrics.healthy);
        assert_eq!(failsafe.circuit_breaker.state(), CircuitState::Closed);
        assert_eq!((metrics.success_count, metrics.failure_count), (3, 14));
    }

    #[test]
    fn a_dropped_ticket_is_no_result() {
        let (failsafe, clock, _) = failsafe();
        for _ in 0..100 {
            drop(failsafe.admit(clock.now()).unwrap());
        }
        let metrics = failsafe.health_metrics();
        assert_eq!((metrics.success_count, metrics.failure_count), (0, 0));
    }

    #[test]
    fn the_rate_limit_refuses_without_a_word_to_the_breaker() {
        let (clock, _) = Clock::mocked();
        let mut config = FailsafeConfig::default();
        config.rate_limit.enabled = true;
        config.rate_limit.burst_size = 1;
        let failsafe = Failsafe::with_clock("search", &config, clock);
        assert_eq!(failsafe.rate_limit(), Ok(()));
        assert_eq!(failsafe.rate_limit(), Err(Duration::from_millis(10)));
        assert_eq!(failsafe.circuit_breaker.rejected_total(), 0);
        assert!(failsafe.can_proceed());
    }

    #[test]
    fn threads_that_settle_at_once_lose_no_result_and_tell_each_change_once() {
        let (failsafe, clock, advance) = failsafe();
        let calls = |thread: usize| {
            let mut settled = 0;
            for call in 0..2_000 {
                advance(Duration::from_secs(1));
                let outcome = Outcome::ALL[(thread + call / 20) % 6];
                let Ok(ticket) = failsafe.admit(clock.now()) else {
                    continue;
                };
                settled += u64::from(outcome.verdict() != Verdict::Neither);
                ticket.settle(outcome, &"it broke", clock.now());
            }
            settled
        };
        let settled: u64 = std::thread::scope(|threads| {
            let workers: Vec<_> = (0..8).map(|id| threads.spawn(move || calls(id))).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .sum()
        });
        let metrics = failsafe.health_metrics();
        assert_eq!(metrics.success_count + metrics.failure_count, settled);
        let breaker = &failsafe.circuit_breaker;
        let changes_to = |state| -> u64 {
            let to_state = breaker.transitions().filter(|change| change.to == state);
            to_state.map(|change| change.count).sum()
        };
        let left_open = changes_to(CircuitState::Open) - changes_to(CircuitState::HalfOpen);
        assert_eq!(left_open, u64::from(breaker.state() == CircuitState::Open));
    }
}
