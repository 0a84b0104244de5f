//! The window of time under every interleaving: the last failure that is needed is never overlooked.

use loom::thread;
use loom_tests::explore;
use loom_tests::lockfree::{Breaker, Policy, Rate, Rule, Settled, State, Verdict};

/// Opens once so many of at least so many calls have failed, or were slow.
fn breaker(percent: u32, minimum: u32) -> &'static Breaker {
    let rate = Rate { percent, minimum };
    let policy = Policy::builder()
        .rule(Rule::Rate(rate))
        .slow_rate(Some(rate))
        .window_ms(1_000)
        .jitter_percent(0);
    Box::leak(Box::new(Breaker::new(policy.build().unwrap_or_default())))
}

fn opened(settled: Settled) -> usize {
    usize::from(matches!(settled, Settled::Opened { .. }))
}

#[test]
fn of_two_failures_at_once_one_sees_both_and_opens() {
    explore(396, || {
        let breaker = breaker(100, 2);
        let other = thread::spawn(|| breaker.record(Verdict::Failure, 0));
        let mine = breaker.record(Verdict::Failure, 0);
        let theirs = other.join().expect("no panic");
        assert_eq!(opened(mine) + opened(theirs), 1);
        assert_eq!(breaker.state(), State::Open);
    });
}

#[test]
fn of_two_slow_calls_at_once_one_sees_both_and_opens() {
    explore(396, || {
        let breaker = breaker(100, 2);
        let other = thread::spawn(|| breaker.record(Verdict::Slow, 0));
        let mine = breaker.record(Verdict::Slow, 0);
        let theirs = other.join().expect("no panic");
        assert_eq!(opened(mine) + opened(theirs), 1);
        assert_eq!(breaker.state(), State::Open);
    });
}
