//! Every pair and every triple of moves on one breaker, from every situation: told answers and end are those of some order.

mod game;
mod law;

use game::{MOVES, Move, Situation};
use loom_tests::races;

/// Full exploration of three threads would be three million interleavings; with two preemptions each sequential
/// order is still seen, as [`races::race`] asserts.
const PREEMPTIONS_OF_TRIPLES: Option<usize> = Some(2);

fn race(situation: Situation, scripts: &[Vec<Move>], preemptions: Option<usize>) -> usize {
    if !situation.can_race(scripts) {
        return 0;
    }
    let (outcomes, interleavings) = races::race(&situation, scripts, preemptions);
    for outcome in outcomes {
        law::holds(scripts, &outcome);
    }
    interleavings
}

/// Two threads, each with one move, or with a whole call: admit, then settle.
fn pairs(situation: Situation, at_least: usize) {
    let moves = MOVES.map(|one| vec![one]);
    let calls = Move::SETTLING.map(|settle| vec![Move::Admit, settle]);
    let scripts = [&moves[..], &calls[..]].concat();
    let mut interleavings = 0;
    for (at, one) in scripts.iter().enumerate() {
        for other in &scripts[at..] {
            interleavings += race(situation, &[one.clone(), other.clone()], None);
        }
    }
    enough(interleavings, at_least);
}

/// Three threads with one move each.
fn triples(situation: Situation, at_least: usize) {
    let moves = MOVES.map(|one| vec![one]);
    let mut interleavings = 0;
    for (a, one) in moves.iter().enumerate() {
        for (b, two) in moves.iter().enumerate().skip(a) {
            for three in &moves[b..] {
                let scripts = [one.clone(), two.clone(), three.clone()];
                interleavings += race(situation, &scripts, PREEMPTIONS_OF_TRIPLES);
            }
        }
    }
    enough(interleavings, at_least);
}

fn enough(interleavings: usize, at_least: usize) {
    assert!(
        interleavings >= at_least,
        "only {interleavings} interleavings, not {at_least}"
    );
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
