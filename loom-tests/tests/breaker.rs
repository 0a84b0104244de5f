//! The breaker's promises under every interleaving.

use loom::thread;
use loom_tests::explore;
use loom_tests::lockfree::{Breaker, Mode, Policy, Refused, Rule, Settled, State, Verdict};

const RESET_MS: u64 = 1_000;
const LEASE_MS: u64 = 512;

/// Leaked, so that threads can hold its permits. Loom weighs a load only against earlier writes: where one thread
/// merely reads, the writer is the thread that loom runs first.
fn breaker(failures: u32, probes: u32, successes: u32) -> &'static Breaker {
    let policy = Policy::builder()
        .rule(Rule::Consecutive(failures))
        .half_open_max_calls(probes)
        .success_threshold(successes)
        .reset_timeout_ms(RESET_MS)
        .lease_ms(LEASE_MS)
        .jitter_percent(0);
    Box::leak(Box::new(Breaker::new(policy.build().unwrap_or_default())))
}

/// Opened at 0 ms: the first probe is due at [`RESET_MS`].
fn open(probes: u32, successes: u32) -> &'static Breaker {
    let breaker = breaker(1, probes, successes);
    let _ = breaker.record(Verdict::Failure, 0);
    breaker
}

fn is_opening(settled: &Settled) -> bool {
    matches!(settled, Settled::Opened { .. })
}

fn fail(breaker: &Breaker) -> Settled {
    match breaker.admit(0) {
        Ok(permit) => permit.failure(0),
        Err(_) => Settled::Stale,
    }
}

/// Holds on to the slot, as a call in flight does.
fn probe(breaker: &Breaker, now_ms: u64) -> Result<bool, Refused> {
    breaker.admit(now_ms).map(|permit| {
        let entered = permit.entered_half_open();
        permit.detach();
        entered
    })
}

#[test]
fn of_many_failing_calls_exactly_one_reports_the_opening() {
    explore(10_016, || {
        let breaker = breaker(2, 1, 1);
        let others = [
            thread::spawn(|| fail(breaker)),
            thread::spawn(|| fail(breaker)),
        ];
        let mine = fail(breaker);
        let all = others.map(|other| other.join().expect("no panic"));
        let openings = all.iter().filter(|settled| is_opening(settled)).count();
        assert_eq!(openings + usize::from(is_opening(&mine)), 1);
        assert_eq!(breaker.view(0).state, State::Open);
        assert_eq!(breaker.view(0).generation, 1);
    });
}

#[test]
fn one_admission_enters_half_open_and_no_more_probes_go_than_allowed() {
    explore(1_957, || {
        let breaker = open(2, 2);
        let others = [(); 2].map(|()| thread::spawn(|| probe(breaker, RESET_MS)));
        let mine = probe(breaker, RESET_MS);
        let mut all = others.map(|other| other.join().expect("no panic")).to_vec();
        all.push(mine);
        assert_eq!(all.iter().filter(|went| went.is_ok()).count(), 2);
        assert_eq!(all.iter().filter(|went| **went == Ok(true)).count(), 1);
        assert_eq!(breaker.view(RESET_MS).probes_in_flight, 2);
    });
}

#[test]
fn a_dropped_permit_gives_its_slot_to_the_next() {
    explore(28, || {
        let breaker = open(1, 1);
        let other = thread::spawn(|| breaker.admit(RESET_MS).map(drop).is_ok());
        let mine = breaker.admit(RESET_MS).map(drop).is_ok();
        assert!(other.join().expect("no panic") || mine);
        assert_eq!(breaker.view(RESET_MS).probes_in_flight, 0);
        assert!(breaker.would_admit(RESET_MS));
    });
}

#[test]
fn a_late_result_changes_nothing() {
    explore(19, || {
        let breaker = breaker(1, 1, 1);
        let late = breaker.admit(0).expect("closed");
        let _ = breaker.record(Verdict::Failure, 0);
        let other = thread::spawn(|| late.failure(RESET_MS));
        let probe = breaker.admit(RESET_MS).expect("due");
        assert_eq!(probe.success(RESET_MS), Settled::Closed);
        assert_eq!(other.join().expect("no panic"), Settled::Stale);
        let view = breaker.view(RESET_MS);
        assert_eq!((view.state, view.failures), (State::Closed, 0));
    });
}

#[test]
fn the_last_successful_probe_closes_and_alone_reports_it() {
    explore(15, || {
        let breaker = open(2, 2);
        let first = breaker.admit(RESET_MS).expect("due");
        let other = thread::spawn(|| breaker.admit(RESET_MS).map(|probe| probe.success(RESET_MS)));
        let mine = first.success(RESET_MS);
        let theirs = other.join().expect("no panic").expect("two at a time");
        let closings = [mine, theirs].into_iter().filter(|s| *s == Settled::Closed);
        assert_eq!(closings.count(), 1);
        assert_eq!(breaker.view(RESET_MS).state, State::Closed);
    });
}

#[test]
fn a_failing_and_a_succeeding_probe_agree_on_one_next_state() {
    explore(15, || {
        let breaker = open(2, 1);
        let first = breaker.admit(RESET_MS).expect("due");
        let other = thread::spawn(|| breaker.admit(RESET_MS).map(|probe| probe.failure(RESET_MS)));
        let mine = first.success(RESET_MS);
        let theirs = other.join().expect("no panic");
        match breaker.view(RESET_MS).state {
            State::Closed => assert_eq!(mine, Settled::Closed),
            State::Open => assert!(theirs.is_ok_and(|settled| is_opening(&settled))),
            State::HalfOpen => panic!("both results are in"),
        }
    });
}

#[test]
fn when_a_lease_ends_one_caller_takes_the_slot_and_the_lost_probe_cannot_give_it_back() {
    explore(1_288, || {
        let breaker = open(1, 2);
        let lost = breaker.admit(RESET_MS).expect("due");
        let over = RESET_MS + LEASE_MS + 256;
        let others = [(); 2].map(|()| thread::spawn(move || probe(breaker, over).is_ok()));
        let late = lost.success(over);
        let took = others.map(|other| other.join().expect("no panic"));
        let taken = took.iter().filter(|took| **took).count();
        assert_eq!(taken, 1, "{took:?}");
        let view = breaker.view(over);
        assert_eq!(view.probes_in_flight, 1);
        assert_eq!(u32::from(late != Settled::Stale), view.probe_successes);
    });
}

#[test]
fn an_operator_and_a_failing_call_leave_what_the_operator_wanted() {
    explore(11, || {
        let breaker = breaker(1, 1, 1);
        let other = thread::spawn(|| fail(breaker));
        assert!(breaker.force(Mode::ForcedClosed, 0).is_some());
        let _ = other.join().expect("no panic");
        let view = breaker.view(0);
        assert_eq!((view.state, view.mode), (State::Closed, Mode::ForcedClosed));
    });
}
