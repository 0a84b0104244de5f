//! What must hold in every outcome, whoever was first.

use loom_tests::lockfree::{Settled, State};
use loom_tests::races::Outcome;

use crate::game::{Move, Situation, TWO, Told};

/// # Panics
/// If a law is broken.
pub(crate) fn holds(scripts: &[Vec<Move>], outcome: &Outcome<Situation>) {
    let told = || outcome.told.iter().flatten();
    let reports: Vec<_> = told().filter_map(report).collect();
    for state in [State::Closed, State::Open, State::HalfOpen] {
        every_change_is_reported_once(state, &reports, outcome);
    }
    let (begin, rest) = (&outcome.end.begin, &outcome.end.rest);
    assert!(
        (rest.generation - begin.generation) as usize >= reports.len(),
        "a change without a generation of its own: {outcome:?}"
    );
    assert!(rest.probes_in_flight <= TWO, "too many probes: {outcome:?}");
    // A result without a permit gives back the slot of a permit that was detached, or of any other.
    let gives_back = |step: &Move| matches!(step, Move::Record(_));
    if !scripts.iter().flatten().any(gives_back) {
        every_slot_is_given_back(outcome);
    }
}

/// From the first state to the last the reported changes make one way: each state is left as often as it is reached.
fn every_change_is_reported_once(
    state: State,
    reports: &[(State, State)],
    outcome: &Outcome<Situation>,
) {
    let left = reports.iter().filter(|(from, _)| *from == state).count();
    let reached = reports.iter().filter(|(_, to)| *to == state).count();
    let begins = usize::from(outcome.end.begin.state == state);
    let ends = usize::from(outcome.end.rest.state == state);
    assert_eq!(
        begins + reached,
        ends + left,
        "{state:?} was not left as often as it was reached: {outcome:?}"
    );
}

fn every_slot_is_given_back(outcome: &Outcome<Situation>) {
    let end = &outcome.end;
    let taken_over = end.released.generation != end.begin.generation;
    let lost = if taken_over { 0 } else { end.lost };
    assert_eq!(end.released.probes_in_flight, lost, "{outcome:?}");
}

const fn report(told: &Told) -> Option<(State, State)> {
    match told {
        Told::Admitted {
            entered_half_open: true,
        } => Some((State::Open, State::HalfOpen)),
        Told::Settled(Settled::Opened { reopened: true, .. }) => {
            Some((State::HalfOpen, State::Open))
        }
        Told::Settled(Settled::Opened { .. }) => Some((State::Closed, State::Open)),
        Told::Settled(Settled::Closed) => Some((State::HalfOpen, State::Closed)),
        Told::Changed(Some(change)) => Some((change.from, change.to)),
        _ => None,
    }
}
