//! Single numbers under every interleaving: nothing is lost, no number is given twice, one turn an interval.

use std::time::Duration;

use loom::sync::Arc;
use loom::thread;
use loom_tests::explore;
use loom_tests::lockfree::{Counter, Gauge, Pace, Repeats};

/// Runs the job on three threads.
fn by_three<S: Send + Sync + 'static, T: Send + 'static>(
    shared: &Arc<S>,
    job: fn(&S) -> T,
) -> Vec<T> {
    let beside = |()| {
        let shared = Arc::clone(shared);
        thread::spawn(move || job(&shared))
    };
    let others = [(); 2].map(beside);
    let mut all = vec![job(shared)];
    all.extend(others.into_iter().filter_map(|other| other.join().ok()));
    all
}

#[test]
fn a_counter_gives_each_number_once_and_loses_none() {
    explore(5_503, || {
        let counter = Arc::new(Counter::new());
        let mut given = by_three(&counter, |counter| {
            counter.add(10);
            counter.next()
        });
        given.sort_unstable();
        given.dedup();
        assert_eq!(given.len(), 3);
        assert_eq!(counter.total(), 33);
    });
}

#[test]
fn a_gauge_that_all_have_left_is_at_zero() {
    explore(5_503, || {
        let gauge = Arc::new(Gauge::new());
        by_three(&gauge, |gauge| {
            gauge.raise();
            gauge.lower();
        });
        assert_eq!(gauge.level(), 0);
    });
}

#[test]
fn of_three_that_leave_a_gauge_one_is_the_last() {
    explore(253, || {
        let gauge = Arc::new(Gauge::new());
        (0..3).for_each(|_| gauge.raise());
        let last = by_three(&gauge, Gauge::lower_to_zero);
        assert_eq!(last.into_iter().filter(|last| *last).count(), 1);
        assert_eq!(gauge.level(), 0);
    });
}

#[test]
fn of_three_that_ask_at_once_one_has_the_turn() {
    explore(1_583, || {
        let pace = Arc::new(Pace::new(Duration::from_secs(1)));
        let turns = by_three(&pace, |pace| pace.turn(5));
        let turns = turns.into_iter().filter(|turn| *turn);
        assert_eq!(turns.count(), 1);
        assert!(!pace.turn(1_004));
        assert!(pace.turn(1_005));
    });
}

#[test]
fn of_three_of_the_same_one_is_said_and_two_are_told_of_once() {
    explore(5_487, || {
        let repeats = Arc::new(Repeats::new(1, Duration::from_millis(10)));
        let said = by_three(&repeats, |repeats| repeats.again(5).aloud);
        assert_eq!(said.into_iter().filter(|aloud| *aloud).count(), 1);
        assert_eq!((repeats.rest(15), repeats.rest(15)), (2, 0));
    });
}

#[test]
fn what_was_not_said_is_told_by_one_whether_it_comes_up_again_or_not() {
    explore(175_580, || {
        let repeats = Arc::new(Repeats::new(1, Duration::from_millis(10)));
        for _ in 0..3 {
            let _ = repeats.again(5);
        }
        let told = by_three(&repeats, |repeats| {
            repeats.again(15).unsaid + repeats.rest(15)
        });
        assert_eq!(told.into_iter().sum::<u64>(), 2);
    });
}
