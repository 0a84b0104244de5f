//! Every pair and every triple of moves on one breaker, from every situation: told answers and end are those of some order.

mod game;
mod law;

use game::{MOVES, Move, Situation};
use loom_tests::{enough, races};

/// Full exploration of three threads would be three million interleavings; with two preemptions each sequential
/// order is still seen, as [`races::race`] asserts.
const PREEMPTIONS_OF_TRIPLES: Option<usize> = Some(2);

/// Two threads, each with one move, or with a whole call: admit, then settle.
fn pairs(situation: Situation, at_least: usize) {
    let moves = MOVES.map(|one| vec![one]);
    let calls = Move::SETTLING.map(|settle| vec![Move::Admit, settle]);
    let pairs = races::choices(2, &[&moves[..], &calls[..]].concat());
    enough(interleavings(situation, &pairs, None), at_least);
}

/// Three threads with one move each.
fn triples(situation: Situation, at_least: usize) {
    let triples = races::choices(3, &MOVES.map(|one| vec![one]));
    let interleavings = interleavings(situation, &triples, PREEMPTIONS_OF_TRIPLES);
    enough(interleavings, at_least);
}

fn interleavings(
    situation: Situation,
    choices: &[Vec<Vec<Move>>],
    preemptions: Option<usize>,
) -> usize {
    let mut total = 0;
    for scripts in choices.iter().filter(|scripts| situation.can_race(scripts)) {
        let (outcomes, runs) = races::race(&situation, scripts, preemptions);
        outcomes
            .iter()
            .for_each(|outcome| law::holds(scripts, outcome));
        total += runs;
    }
    total
}

/// Each situation with the interleavings of its pairs and of its triples.
macro_rules! situations {
    ($($name:ident: $situation:expr, $pairs:literal, $triples:literal;)*) => { $(
        mod $name {
            use super::Situation::*;

            #[test]
            fn pairs() {
                super::pairs($situation, $pairs);
            }

            #[test]
            fn triples() {
                super::triples($situation, $triples);
            }
        }
    )* };
}

situations! {
    closed: Closed, 1_509, 22_626;
    closed_one_failure_short: OneShort, 2_708, 35_723;
    closed_with_a_window_one_failure_short: Window, 2_708, 39_493;
    open_and_due: Due, 23_281, 13_524;
    half_open: HalfOpen, 26_468, 71_829;
    half_open_one_success_short: LastProbe, 26_468, 67_888;
    half_open_and_the_lease_over: LeaseOver, 25_764, 71_774;
    forced_open: ForcedOpen, 671, 7_784;
    forced_closed: ForcedClosed, 1_911, 36_996;
    disabled: Disabled, 1_223, 22_079;
}
