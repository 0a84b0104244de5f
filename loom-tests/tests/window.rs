//! The window of time under every interleaving: the last failure that is needed is never overlooked.

use loom::thread;
use loom_tests::lockfree::{Breaker, Policy, Rate, Rule, Settled, State, Verdict};
use loom_tests::{explore, explore_within};

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

#[test]
fn of_three_failures_at_once_one_sees_all_and_opens() {
    // In full these would be some ten million interleavings.
    let preemptions = 2;
    explore_within(preemptions, 1_072, || {
        let breaker = breaker(100, 3);
        let others = [(); 2].map(|()| thread::spawn(|| breaker.record(Verdict::Failure, 0)));
        let mine = breaker.record(Verdict::Failure, 0);
        let theirs = others.map(|other| other.join().expect("no panic"));
        assert_eq!(theirs.map(opened).iter().sum::<usize>() + opened(mine), 1);
        assert_eq!(breaker.state(), State::Open);
    });
}

#[test]
fn a_failure_from_before_a_reset_never_counts_after_it() {
    explore(108, || {
        let breaker = breaker(100, 2);
        let held = breaker.admit(0).expect("closed");
        let _ = breaker.record(Verdict::Failure, 0);
        let other = thread::spawn(move || held.failure(0));
        let closed_it = breaker.reset(0).is_some();
        let mine = breaker.record(Verdict::Failure, 0);
        let theirs = other.join().expect("no panic");
        assert_eq!(opened(theirs) == 1, closed_it);
        assert!(
            matches!(mine, Settled::Counted { failures: 1, .. }),
            "{mine:?}"
        );
        assert_eq!(breaker.view(0).failures, 1);
    });
}

#[test]
fn a_failure_from_before_a_reset_does_not_erase_one_behind_it_from_a_shared_ring() {
    explore(3_420, || {
        let breaker = breaker(100, 3);
        let held = breaker.admit(0).expect("closed");
        // The one lease there is goes to this thread, so the others share a ring.
        let _ = breaker.record(Verdict::Success, 0);
        let late = thread::spawn(move || held.failure(0));
        let other = thread::spawn(|| {
            breaker.reset(0);
            breaker.record(Verdict::Failure, 0)
        });
        let counted = other.join().expect("no panic");
        let _ = late.join().expect("no panic");
        assert!(
            matches!(counted, Settled::Counted { failures: 1, .. }),
            "{counted:?}"
        );
        assert_eq!(breaker.view(0).failures, 1);
    });
}

#[test]
fn two_failures_in_a_shared_ring_are_both_counted() {
    explore(4_428, || {
        let breaker = breaker(100, 3);
        // The one lease there is goes to this thread, so the others share a ring.
        let _ = breaker.record(Verdict::Success, 0);
        let others = [(); 2].map(|()| thread::spawn(|| breaker.record(Verdict::Failure, 0)));
        for other in others {
            assert_eq!(opened(other.join().expect("no panic")), 0);
        }
        assert_eq!(breaker.view(0).failures, 2);
    });
}
