//! Who learns of a change also sees what its maker wrote before: one model for each memory ordering that promises so.
//!
//! Loom weighs a load only against earlier writes, so the thread that writes is the one that loom runs first.

use loom::thread;
use loom_tests::explore;
use loom_tests::lockfree::{
    Breaker, HealthChange, HealthWord, Latest, Policy, Rule, Settled, Verdict,
};

/// What a caller writes before it tells of its result: relaxed, so nothing but the word under test orders it.
const CAUSE: u64 = 7;

fn shared<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn cause() -> &'static Latest {
    shared(Latest::new(0))
}

/// Opens after so many failures in a row.
fn breaker(failures: u32) -> &'static Breaker {
    let policy = Policy::builder()
        .rule(Rule::Consecutive(failures))
        .jitter_percent(0);
    shared(Breaker::new(policy.build().unwrap_or_default()))
}

fn fail_for(cause: &Latest, breaker: &Breaker) -> Settled {
    cause.set(CAUSE);
    breaker.record(Verdict::Failure, 0)
}

#[test]
fn who_is_refused_sees_what_the_opener_wrote() {
    explore(6, || {
        let (breaker, cause) = (breaker(1), cause());
        let other = thread::spawn(|| breaker.admit(0).err().map(|_| cause.value()));
        let _ = fail_for(cause, breaker);
        let seen = other.join().expect("no panic");
        assert!(matches!(seen, None | Some(CAUSE)), "{seen:?}");
    });
}

#[test]
fn who_comes_too_late_sees_what_the_one_who_was_faster_wrote() {
    explore(7, || {
        let (breaker, cause) = (breaker(1), cause());
        let other = thread::spawn(|| {
            let late = breaker.record(Verdict::Failure, 0) == Settled::Stale;
            late.then(|| cause.value())
        });
        let _ = fail_for(cause, breaker);
        let seen = other.join().expect("no panic");
        assert!(matches!(seen, None | Some(CAUSE)), "{seen:?}");
    });
}

#[test]
fn who_opens_sees_what_the_failures_before_wrote_even_if_the_word_was_the_same_once() {
    explore(40, || {
        let (breaker, cause) = (breaker(2), cause());
        let _ = breaker.record(Verdict::Failure, 0);
        let other = thread::spawn(|| {
            let opened = matches!(breaker.record(Verdict::Failure, 0), Settled::Opened { .. });
            opened.then(|| cause.value())
        });
        let _ = breaker.record(Verdict::Success, 0);
        let counted = fail_for(cause, breaker);
        let seen = other.join().expect("no panic");
        // It was counted first of two, so the other thread opened on it.
        if matches!(counted, Settled::Counted { failures: 1, .. }) {
            assert!(matches!(seen, None | Some(CAUSE)), "{seen:?}");
        }
    });
}

#[test]
fn who_sees_a_failure_of_health_sees_what_the_failing_caller_wrote() {
    explore(6, || {
        let (health, cause) = (shared(HealthWord::new(1)), cause());
        let other = thread::spawn(|| (!health.is_healthy()).then(|| cause.value()));
        cause.set(CAUSE);
        health.failure();
        let seen = other.join().expect("no panic");
        assert!(matches!(seen, None | Some(CAUSE)), "{seen:?}");
    });
}

#[test]
fn who_makes_health_fall_sees_what_the_failures_before_wrote() {
    explore(4, || {
        let (health, cause) = (shared(HealthWord::new(2)), cause());
        let other = thread::spawn(|| health.failure().map(|_| cause.value()));
        cause.set(CAUSE);
        health.failure();
        let seen = other.join().expect("no panic");
        assert!(matches!(seen, None | Some(CAUSE)), "{seen:?}");
    });
}

#[test]
fn who_ends_a_row_of_failures_sees_what_the_failing_callers_wrote() {
    explore(6, || {
        let (health, cause) = (shared(HealthWord::new(1)), cause());
        let other = thread::spawn(|| health.success().map(|_| cause.value()));
        cause.set(CAUSE);
        health.failure();
        let seen = other.join().expect("no panic");
        assert!(matches!(seen, None | Some(CAUSE)), "{seen:?}");
    });
}

#[test]
fn who_sees_health_again_sees_what_the_succeeding_caller_wrote() {
    explore(6, || {
        let (health, cause) = (shared(HealthWord::new(1)), cause());
        health.failure();
        let other = thread::spawn(|| health.is_healthy().then(|| cause.value()));
        cause.set(CAUSE);
        assert_eq!(health.success(), Some(HealthChange::BecameHealthy));
        let seen = other.join().expect("no panic");
        assert!(matches!(seen, None | Some(CAUSE)), "{seen:?}");
    });
}
