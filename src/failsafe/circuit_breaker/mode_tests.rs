//! Modes, slow calls and the trail of a change, seen through the public face of a breaker.

use std::time::Duration;

use super::{
    tests::{breaker, default, fail, recover, succeed},
    *,
};
use crate::telemetry::transcript::transcript;

#[test]
fn a_shadow_decides_and_reports_and_refuses_nothing() {
    let (breaker, advance) = breaker(&CircuitBreakerConfig {
        mode: CircuitMode::Shadow,
        ..CircuitBreakerConfig::default()
    });
    for _ in 0..5 {
        fail(&breaker);
    }
    let seen = |breaker: &CircuitBreaker| (breaker.state(), breaker.mode());
    assert_eq!(seen(&breaker), (CircuitState::Open, CircuitMode::Shadow));
    let lines = transcript(|| {
        for _ in 0..20 {
            fail(&breaker);
            succeed(&breaker);
        }
    });
    assert_eq!(breaker.rejected_total(), 40);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(
        lines[0].starts_with(
            "WARN Circuit open in shadow mode, letting requests pass | backend=search refused=1"
        ),
        "{lines:#?}"
    );
    assert_eq!(breaker.state(), CircuitState::Open);
    advance(Duration::from_secs(33));
    recover(&breaker);
    assert_eq!(breaker.state(), CircuitState::Closed);
    breaker.force_open();
    assert!(breaker.try_acquire().is_err());
}

#[test]
fn a_mode_that_is_written_down_holds_from_the_start() {
    for (mode, state) in [
        (CircuitMode::ForcedOpen, CircuitState::Open),
        (CircuitMode::ForcedClosed, CircuitState::Closed),
        (CircuitMode::Disabled, CircuitState::Closed),
    ] {
        let (breaker, _) = breaker(&CircuitBreakerConfig {
            mode,
            ..CircuitBreakerConfig::default()
        });
        for _ in 0..10 {
            breaker.record_failure();
        }
        assert_eq!((breaker.state(), breaker.mode()), (state, mode));
    }
}

#[test]
fn slow_calls_open_it_and_are_named_as_the_cause() {
    let slow_call = SlowCallConfig {
        duration: Duration::from_secs(2),
        rate: 50,
        window: Duration::from_secs(60),
        minimum_calls: 4,
    };
    let (breaker, _) = breaker(&CircuitBreakerConfig {
        slow_call: Some(slow_call),
        ..CircuitBreakerConfig::default()
    });
    let call = |seconds| {
        let latency = Duration::from_secs(seconds);
        breaker.try_acquire().unwrap().success(latency);
        breaker.state()
    };
    assert_eq!(call(1), CircuitState::Closed);
    assert_eq!(call(1), CircuitState::Closed);
    assert_eq!(call(9), CircuitState::Closed);
    assert_eq!(call(9), CircuitState::Open);
    let rejected = breaker.try_acquire().unwrap_err();
    let sentence = rejected.to_string();
    assert!(
        sentence.contains("a call took 9.0s, and 2s is slow"),
        "{sentence}"
    );
    let change = breaker.changes().last().cloned().unwrap();
    assert_eq!(change.cause.label(), "slow");
    assert_eq!(change.trail.kinds, [("slower than 2s".into(), 2)]);
}

#[test]
fn each_change_is_kept_with_what_led_to_it() {
    let (breaker, advance) = default();
    for _ in 0..5 {
        advance(Duration::from_millis(300));
        fail(&breaker);
    }
    advance(Duration::from_secs(33));
    recover(&breaker);
    let changes = breaker.changes();
    let shown: Vec<_> = changes
        .iter()
        .map(|change| (change.to.label(), change.cause.label(), change.at_ms))
        .collect();
    assert_eq!(
        shown,
        [
            ("open", "lost", 1_500),
            ("half_open", "probe_due", 34_500),
            ("closed", "recovered", 34_500),
        ]
    );
    assert_eq!(
        changes[0].trail.to_string(),
        "5 failures in 1.2s: the child exited with status 1 (5)"
    );
}
