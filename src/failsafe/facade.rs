//! Everything that surrounds the calls to one backend, in one value: ask it before a call, tell it after.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    failsafe::{
        circuit_breaker::{CircuitBreaker, CircuitState, Permit, Rejected},
        health::{HealthMetrics, HealthTracker},
        limits::RateLimit,
        outcome::{Outcome, Verdict},
        retry::RetryPolicy,
        settings::FailsafeConfig,
    },
    lockfree::Settled,
    telemetry::{Clock, Stamp},
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
    rate: RateLimit,
    retry: RetryPolicy,
}

/// Leave for one call, with the moment from which its latency counts. Settle it; a ticket that is dropped counts neither way.
#[derive(Debug)]
#[must_use = "a ticket that is dropped counts as abandoned"]
pub struct Ticket<'a> {
    failsafe: &'a Failsafe,
    permit: Permit<'a>,
    sent: Stamp,
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
        Self {
            circuit_breaker: CircuitBreaker::with_clock(
                name,
                &config.circuit_breaker,
                clock.clone(),
            ),
            health_tracker: Arc::new(HealthTracker::with_clock(name, clock.clone())),
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
        self.circuit_breaker.record_success();
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
        Ok(Ticket {
            failsafe: self,
            permit: self.circuit_breaker.admit(now)?,
            sent: now,
        })
    }

    /// When a call is sent again.
    #[must_use]
    pub const fn retry(&self) -> &RetryPolicy {
        &self.retry
    }
}

impl Ticket<'_> {
    /// Whether this call is one of the few that decide if the circuit closes.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.permit.is_probe()
    }

    /// The backend had to be started first, and the call is sent only `now`: its latency counts from here.
    pub const fn sent_at(&mut self, now: Stamp) {
        self.sent = now;
    }

    /// The call came to `outcome` at `now`; `cause` says why in a sentence, and is read only for a failure.
    #[inline]
    pub fn settle(self, outcome: Outcome, cause: &dyn fmt::Display, now: Stamp) {
        match outcome.verdict() {
            Verdict::Success => {
                // The permit first: it then lives in registers, where nothing that could unwind comes between.
                let _ = self.permit.succeed(now.millis());
                let latency = now.since(self.sent);
                self.failsafe.health_tracker.success(latency, now);
            }
            Verdict::Failure => self.fail(outcome, cause, now),
            Verdict::Neither => {}
        }
    }

    /// A failure that ends after the circuit has recovered is counted and timed, and changes nothing else.
    #[cold]
    fn fail(self, outcome: Outcome, cause: &dyn fmt::Display, now: Stamp) {
        let latency = now.since(self.sent);
        let Failsafe {
            circuit_breaker,
            health_tracker,
            ..
        } = self.failsafe;
        let settled = self.permit.failed(outcome, cause, now);
        if settled == Settled::Stale && circuit_breaker.state() == CircuitState::Closed {
            health_tracker.late_failure(latency, now);
        } else {
            health_tracker.failure(latency, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
