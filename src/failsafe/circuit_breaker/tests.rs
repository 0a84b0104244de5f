//! How a breaker behaves, seen through its public face: one situation a test.

use std::time::Duration;

use super::*;
use crate::{
    failsafe::Outcome,
    telemetry::{Clock, transcript::transcript},
};

pub(super) fn breaker(
    config: &CircuitBreakerConfig,
) -> (CircuitBreaker, impl Fn(Duration) + use<>) {
    let (clock, advance) = Clock::mocked();
    let breaker = CircuitBreaker::with_clock("search", config, clock);
    (breaker, advance)
}

pub(super) fn default() -> (CircuitBreaker, impl Fn(Duration)) {
    breaker(&CircuitBreakerConfig::default())
}

pub(super) fn fail(breaker: &CircuitBreaker) {
    let now = breaker.clock().now();
    let permit = breaker.admit_for(None, now.millis()).unwrap();
    let blame = Blame::new(
        CauseKind::Call(Outcome::Lost),
        &"the child exited with status 1",
    );
    let _ = breaker.failed(permit, &blame, now.millis());
}

pub(super) fn succeed(breaker: &CircuitBreaker) {
    breaker.try_acquire().unwrap().success(Duration::ZERO);
}

/// Opens a default breaker; how long until a probe is due.
fn open(breaker: &CircuitBreaker) -> Duration {
    for _ in 0..5 {
        fail(breaker);
    }
    breaker.try_acquire().unwrap_err().retry_after
}

pub(super) fn recover(breaker: &CircuitBreaker) {
    for _ in 0..3 {
        succeed(breaker);
    }
}

#[test]
fn opens_at_the_fifth_failure_in_a_row_and_says_when_to_come_back() {
    let (breaker, _) = default();
    for _ in 0..4 {
        fail(&breaker);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert!(breaker.can_proceed());
    fail(&breaker);
    assert_eq!(breaker.state(), CircuitState::Open);
    let rejected = breaker.try_acquire().unwrap_err();
    assert!(rejected.retry_after >= Duration::from_secs(30));
    assert!(rejected.retry_after <= Duration::from_secs(33));
    assert_eq!(rejected.state, CircuitState::Open);
    assert!(!breaker.can_proceed());
    assert_eq!(breaker.rejected_total(), 2);
}

#[test]
fn a_success_between_failures_starts_the_row_anew() {
    let (breaker, _) = default();
    for _ in 0..100 {
        for _ in 0..4 {
            fail(&breaker);
        }
        succeed(&breaker);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn what_is_recorded_without_a_permit_counts_as_well() {
    let (breaker, advance) = default();
    for _ in 0..5 {
        assert!(breaker.can_proceed());
        breaker.record_failure();
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(Duration::from_secs(33));
    for _ in 0..3 {
        assert!(breaker.can_proceed());
        breaker.record_success();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_refusal_tells_since_when_and_why() {
    let (breaker, advance) = default();
    open(&breaker);
    advance(Duration::from_secs(12));
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.open_for, Duration::from_secs(12));
    let cause = rejected.cause.clone().unwrap();
    assert_eq!(cause.kind, CauseKind::Call(Outcome::Lost));
    let sentence = rejected.to_string();
    assert!(
        sentence.starts_with("the circuit opened 12s ago (the child exited with status 1), so")
    );
    assert_eq!(breaker.last_cause(), Some(cause));
    assert_eq!(breaker.open_for(), Some(Duration::from_secs(12)));
}

#[test]
fn recovers_after_as_many_successful_probes_as_asked() {
    let (breaker, advance) = default();
    advance(open(&breaker));
    assert!(breaker.try_acquire().unwrap().is_probe());
    succeed(&breaker);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    succeed(&breaker);
    succeed(&breaker);
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(breaker.open_for(), None);
    assert!(!breaker.try_acquire().unwrap().is_probe());
}

#[test]
fn a_failed_probe_opens_it_again_for_longer() {
    let (breaker, advance) = default();
    let first = open(&breaker);
    advance(first);
    fail(&breaker);
    assert_eq!(breaker.state(), CircuitState::Open);
    let second = breaker.try_acquire().unwrap_err();
    assert!(second.retry_after >= Duration::from_secs(60));
    assert_eq!(second.open_for, first);
}

#[test]
fn two_hundred_callers_at_the_instant_of_half_open_and_exactly_three_pass() {
    let (breaker, advance) = default();
    advance(open(&breaker));
    let refused_before = breaker.rejected_total();
    let start = std::sync::Barrier::new(200);
    let permits: Vec<_> = std::thread::scope(|threads| {
        let ask = || {
            start.wait();
            breaker.try_acquire().ok()
        };
        let callers: Vec<_> = (0..200).map(|_| threads.spawn(ask)).collect();
        let answers = callers.into_iter().map(|caller| caller.join().unwrap());
        answers.flatten().collect()
    });
    assert_eq!(permits.len(), 3);
    assert!(permits.iter().all(Permit::is_probe));
    assert_eq!(breaker.rejected_total() - refused_before, 197);
    for permit in permits {
        permit.success(Duration::ZERO);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_dropped_permit_gives_its_place_back_and_counts_neither_way() {
    let (breaker, advance) = default();
    advance(open(&breaker));
    for _ in 0..1_000 {
        drop(breaker.try_acquire().unwrap());
    }
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    recover(&breaker);
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn a_call_admitted_before_the_trip_that_ends_after_recovery_changes_nothing() {
    let (breaker, advance) = default();
    let late: Vec<_> = (0..50).map(|_| breaker.try_acquire().unwrap()).collect();
    advance(open(&breaker));
    recover(&breaker);
    for permit in late {
        permit.failure();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    for _ in 0..4 {
        fail(&breaker);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn after_a_million_good_calls_a_dead_backend_opens_it_in_as_many_failures_as_on_the_first_day() {
    let windowed = CircuitBreakerConfig {
        policy: TripPolicy::LastN {
            window: 10,
            failures: 5,
            minimum: 5,
        },
        ..CircuitBreakerConfig::default()
    };
    for config in [CircuitBreakerConfig::default(), windowed] {
        for past in [0, 10_000, 1_000_000] {
            let (breaker, _) = breaker(&config);
            for _ in 0..past {
                succeed(&breaker);
            }
            let failures = (1..).find(|_| {
                fail(&breaker);
                breaker.state() == CircuitState::Open
            });
            assert_eq!(failures, Some(5), "{past}, {:?}", config.policy);
        }
    }
}

#[test]
fn only_the_monotonic_clock_brings_the_probe() {
    let (breaker, advance) = default();
    let wait = open(&breaker);
    advance(wait - Duration::from_millis(1));
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.retry_after, Duration::from_millis(1));
    advance(Duration::from_millis(1));
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn a_disabled_breaker_lets_everything_go() {
    let (breaker, _) = breaker(&CircuitBreakerConfig {
        enabled: false,
        ..CircuitBreakerConfig::default()
    });
    for _ in 0..100 {
        fail(&breaker);
    }
    assert_eq!(
        (breaker.state(), breaker.mode()),
        (CircuitState::Closed, CircuitMode::Disabled)
    );
}

#[test]
fn an_operator_outranks_the_results_until_the_reset() {
    let (breaker, _) = default();
    breaker.force_open();
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.cause.unwrap().kind, CauseKind::Operator);
    breaker.force_close();
    for _ in 0..100 {
        fail(&breaker);
    }
    assert_eq!(
        (breaker.state(), breaker.mode()),
        (CircuitState::Closed, CircuitMode::ForcedClosed)
    );
    breaker.reset();
    assert_eq!(breaker.mode(), CircuitMode::Automatic);
    open(&breaker);
    assert_eq!(breaker.state(), CircuitState::Open);
    breaker.disable();
    assert!(breaker.can_proceed());
}

#[test]
fn each_change_is_counted_once_with_its_cause() {
    let (breaker, advance) = default();
    advance(open(&breaker));
    recover(&breaker);
    breaker.force_open();
    breaker.reset();
    let counted: Vec<_> = breaker
        .transitions()
        .map(|t| (t.to.label(), t.cause.label(), t.count))
        .collect();
    assert_eq!(
        counted,
        [
            ("closed", "recovered", 1),
            ("closed", "operator", 1),
            ("open", "lost", 1),
            ("open", "operator", 1),
            ("half_open", "probe_due", 1),
        ]
    );
}

#[test]
fn the_log_lines_are_the_ones_that_alerts_rely_on() {
    let (breaker, advance) = breaker(&CircuitBreakerConfig {
        failure_threshold: 2,
        success_threshold: 1,
        max_reset_timeout: Duration::from_secs(30),
        ..CircuitBreakerConfig::default()
    });
    let lines = transcript(|| {
        succeed(&breaker);
        fail(&breaker);
        fail(&breaker);
        advance(Duration::from_secs(30));
        succeed(&breaker);
    });
    assert_eq!(
        lines,
        [
            "TRACE Circuit closed, allowing request | backend=search",
            "TRACE Circuit closed, allowing request | backend=search",
            "WARN Failure in closed state | backend=search failures=1 threshold=2",
            "TRACE Circuit closed, allowing request | backend=search",
            "WARN Circuit breaker opened | backend=search failures=2 cause=the child exited with status 1 retry_in=30s",
            "INFO Circuit breaker half-open | backend=search",
            "DEBUG Circuit half-open, allowing probe | backend=search",
            "INFO Circuit breaker closed | backend=search open_for=30s",
        ]
    );
}

#[test]
fn failures_that_go_on_without_a_change_are_warned_of_ten_times_in_ten_seconds() {
    let (breaker, advance) = breaker(&CircuitBreakerConfig {
        failure_threshold: 100,
        ..CircuitBreakerConfig::default()
    });
    let warned = || {
        let lines = transcript(|| (0..30).for_each(|_| breaker.record_failure()));
        assert_eq!(lines.len(), 30, "{lines:#?}");
        lines.iter().filter(|line| line.starts_with("WARN")).count()
    };
    assert_eq!(warned(), 10);
    assert_eq!(warned(), 0);
    advance(Duration::from_secs(10));
    assert_eq!(warned(), 10);
}

#[test]
fn refusals_are_told_at_most_once_a_second_with_how_many_there_were() {
    let (breaker, advance) = default();
    open(&breaker);
    let lines = transcript(|| {
        for _ in 0..20 {
            for _ in 0..50 {
                assert!(!breaker.can_proceed());
            }
            advance(Duration::from_millis(100));
        }
    });
    assert_eq!(lines.len(), 1, "{lines:#?}");
    let told = "WARN Circuit open, refusing requests | backend=search refused=501 cause=the child exited with status 1 retry_in=";
    assert!(lines[0].starts_with(told), "{lines:#?}");
    assert_eq!(breaker.rejected_total(), 1_001);
}

#[test]
fn settings_that_cannot_work_are_replaced_with_a_warning() {
    let config = CircuitBreakerConfig {
        failure_threshold: 0,
        ..CircuitBreakerConfig::default()
    };
    let lines = transcript(|| {
        let (breaker, _) = breaker(&config);
        fail(&breaker);
        assert_eq!(breaker.state(), CircuitState::Open);
    });
    assert!(
        lines[0].starts_with("WARN Circuit breaker settings replaced"),
        "{lines:#?}"
    );
}
