//! The health word under every interleaving: told changes and end are those of some order.

use loom_tests::enough;
use loom_tests::lockfree::{HealthChange, HealthWord};
use loom_tests::races::{Game, Outcome, Script, choices, race};

const THRESHOLD: u32 = 2;

/// So many failures in a row are on record when the threads begin.
#[derive(Clone, Debug, PartialEq)]
struct FailuresBefore(u64);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Move {
    Failure,
    Success,
}

#[derive(Clone, Debug, PartialEq)]
struct End {
    healthy: bool,
    failures: u64,
}

impl Game for FailuresBefore {
    type Hand = &'static HealthWord;
    type Move = Move;
    type Told = Option<HealthChange>;
    type End = End;

    fn deal(&self, scripts: &[Script<Self>]) -> Vec<&'static HealthWord> {
        let health: &HealthWord = Box::leak(Box::new(HealthWord::new(THRESHOLD)));
        for _ in 0..self.0 {
            let _ = health.failure();
        }
        vec![health; scripts.len()]
    }

    fn play(health: &mut &'static HealthWord, step: Move) -> Option<HealthChange> {
        match step {
            Move::Failure => health.failure(),
            Move::Success => health.success(),
        }
    }

    fn end(&self, hands: Vec<&'static HealthWord>) -> End {
        End {
            healthy: hands[0].is_healthy(),
            failures: hands[0].consecutive_failures(),
        }
    }
}

/// Flag and count say the same, and each change was reported once.
fn lawful(before: &FailuresBefore, outcome: &Outcome<FailuresBefore>) {
    let End { healthy, failures } = outcome.end;
    assert_eq!(healthy, failures < u64::from(THRESHOLD), "{outcome:?}");
    let reports = || outcome.told.iter().flatten().flatten();
    let rises = reports().filter(|change| **change == HealthChange::BecameHealthy);
    let (rises, all) = (rises.count(), reports().count());
    let was_healthy = before.0 < u64::from(THRESHOLD);
    assert_eq!(
        usize::from(was_healthy) + rises,
        usize::from(healthy) + all - rises,
        "a change unreported, or reported twice: {outcome:?}"
    );
}

/// Any of the scripts for each of so many threads, from every number of failures.
fn interleavings(threads: usize, scripts: &[Vec<Move>]) -> usize {
    let mut total = 0;
    for before in 0..=u64::from(THRESHOLD) {
        for chosen in choices(threads, scripts) {
            let before = FailuresBefore(before);
            let (outcomes, runs) = race(&before, &chosen, None);
            outcomes.iter().for_each(|outcome| lawful(&before, outcome));
            total += runs;
        }
    }
    total
}

#[test]
fn two_threads_with_two_results_each_agree_on_who_changed_what() {
    let moves = [Move::Failure, Move::Success];
    let scripts = moves.map(|one| moves.map(|two| vec![one, two])).concat();
    enough(interleavings(2, &scripts), 13_105);
}

#[test]
fn three_threads_with_one_result_each_agree_on_who_changed_what() {
    let scripts = [vec![Move::Failure], vec![Move::Success]];
    enough(interleavings(3, &scripts), 70_542);
}
