//! The breaker against the simplest thing that keeps its promises: an enum, vectors, and no atomics.

use proptest::prelude::*;

use super::{Breaker, Mode, Permit, Policy, Rate, Rule, State, Verdict};

const SUCCESSES: usize = 2;
const PROBES: usize = 3;
const RESET_MS: u64 = 1_000;
const MAX_RESET_MS: u64 = 6_000;
const LEASE_MS: u64 = 2_000;
/// The window of time and its slots: 2^8 ms each, 19 of them.
const WINDOW_MS: u64 = 5_000;
const SLOT_MS: u64 = 256;

/// What the breaker should be. A permit is known by the episode in which it was given.
#[derive(Debug)]
struct Model {
    rule: Rule,
    slow: Option<Rate>,
    phase: Phase,
    mode: Mode,
    episode: usize,
    opens: u32,
}

#[derive(Debug)]
enum Phase {
    /// Each result with the moment it came.
    Closed(Vec<(Verdict, u64)>),
    Open {
        due_ms: u64,
    },
    HalfOpen {
        in_flight: usize,
        successes: usize,
        lease_ends_ms: u64,
    },
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Admit,
    Settle(prop::sample::Index, Verdict),
    Drop(prop::sample::Index),
    Detach(prop::sample::Index),
    Record(Verdict),
    Force(Mode),
    Reset,
    Wait(u64),
}

impl Model {
    fn new(rule: Rule, slow: Option<Rate>) -> Self {
        Self {
            rule,
            slow,
            phase: Phase::Closed(Vec::new()),
            mode: Mode::Automatic,
            episode: 0,
            opens: 0,
        }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.episode += 1;
    }

    fn admit(&mut self, now_ms: u64) -> bool {
        let lease_ends_ms = (now_ms + LEASE_MS).next_multiple_of(256);
        let first = Phase::HalfOpen {
            in_flight: 1,
            successes: 0,
            lease_ends_ms,
        };
        match &mut self.phase {
            _ if self.mode == Mode::ForcedOpen => false,
            Phase::Closed(_) => true,
            Phase::Open { due_ms } if now_ms < *due_ms => false,
            Phase::Open { .. } => {
                self.enter(first);
                true
            }
            Phase::HalfOpen {
                in_flight,
                lease_ends_ms: ends,
                ..
            } if *in_flight < PROBES => {
                *in_flight += 1;
                *ends = lease_ends_ms;
                true
            }
            Phase::HalfOpen {
                lease_ends_ms: ends,
                ..
            } if now_ms < *ends => false,
            Phase::HalfOpen {
                in_flight,
                lease_ends_ms: ends,
                ..
            } => {
                *in_flight = 1;
                *ends = lease_ends_ms;
                self.episode += 1;
                true
            }
        }
    }

    fn settle(&mut self, episode: usize, verdict: Verdict, now_ms: u64) {
        if episode != self.episode || matches!(self.mode, Mode::ForcedOpen | Mode::Disabled) {
            return;
        }
        match (&mut self.phase, verdict) {
            (Phase::Closed(results), _) => {
                results.push((verdict, now_ms));
                if self.trips(verdict, now_ms) {
                    self.open(now_ms);
                }
            }
            (Phase::Open { .. }, _) => {}
            (Phase::HalfOpen { .. }, Verdict::Slow | Verdict::Failure) => self.open(now_ms),
            (
                Phase::HalfOpen {
                    in_flight,
                    successes,
                    ..
                },
                Verdict::Success,
            ) => {
                *in_flight = in_flight.saturating_sub(1);
                *successes += 1;
                if *successes == SUCCESSES {
                    self.opens = 0;
                    self.enter(Phase::Closed(Vec::new()));
                }
            }
        }
    }

    fn results(&self) -> &[(Verdict, u64)] {
        match &self.phase {
            Phase::Closed(results) => results,
            _ => &[],
        }
    }

    /// The results in the slots that make the window of time: all of them, and those with this verdict.
    fn recent(&self, verdict: Verdict, now_ms: u64) -> (usize, usize) {
        let first = (now_ms / SLOT_MS + 1).saturating_sub(WINDOW_MS / SLOT_MS);
        let results = self.results().iter();
        let recent: Vec<_> = results.filter(|(_, at)| at / SLOT_MS >= first).collect();
        let with_it = recent.iter().filter(|(other, _)| *other == verdict).count();
        (recent.len(), with_it)
    }

    fn failures(&self, now_ms: u64) -> usize {
        let failed = |result: &&(Verdict, u64)| result.0 == Verdict::Failure;
        let newest = self.results().iter().rev();
        match self.rule {
            Rule::Consecutive(_) => newest.take_while(failed).count(),
            Rule::LastN { window, .. } => newest.take(window as usize).filter(failed).count(),
            Rule::Rate(_) => self.recent(Verdict::Failure, now_ms).1,
        }
    }

    fn trips(&self, verdict: Verdict, now_ms: u64) -> bool {
        let exceeds = |rate: Rate| {
            let (calls, part) = self.recent(verdict, now_ms);
            calls >= rate.minimum as usize && part * 100 >= calls * rate.percent as usize
        };
        let limit_reached = match (verdict, self.rule) {
            (Verdict::Success, _) => false,
            (Verdict::Slow, _) => self.slow.is_some_and(exceeds),
            (Verdict::Failure, Rule::Rate(rate)) => exceeds(rate),
            (Verdict::Failure, Rule::Consecutive(failures)) => {
                self.failures(now_ms) >= failures as usize
            }
            (
                Verdict::Failure,
                Rule::LastN {
                    failures, minimum, ..
                },
            ) => {
                self.failures(now_ms) >= failures as usize
                    && self.results().len() >= minimum as usize
            }
        };
        limit_reached && self.mode == Mode::Automatic
    }

    fn open(&mut self, now_ms: u64) {
        let wait_ms = (RESET_MS << self.opens.min(20)).min(MAX_RESET_MS);
        self.opens += 1;
        let due_ms = now_ms + wait_ms;
        self.enter(Phase::Open { due_ms });
    }

    fn abandon(&mut self, episode: usize) {
        if let Phase::HalfOpen { in_flight, .. } = &mut self.phase
            && episode == self.episode
        {
            *in_flight = in_flight.saturating_sub(1);
        }
    }

    fn force(&mut self, mode: Mode) {
        if mode != self.mode {
            self.mode = mode;
            self.opens = 0;
            self.enter(Phase::Closed(Vec::new()));
        }
    }

    fn reset(&mut self) {
        self.mode = Mode::Automatic;
        self.opens = 0;
        self.enter(Phase::Closed(Vec::new()));
    }

    fn assert_same(&self, breaker: &Breaker, now_ms: u64) {
        let view = breaker.view(now_ms);
        let state = match self.phase {
            _ if self.mode == Mode::ForcedOpen => State::Open,
            Phase::Closed(_) => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        };
        assert_eq!((view.state, view.mode), (state, self.mode));
        assert_eq!(view.failures as usize, self.failures(now_ms));
        assert_eq!(view.opens_in_a_row, self.opens);
        let probes = match self.phase {
            Phase::HalfOpen {
                in_flight,
                successes,
                ..
            } => (in_flight, successes),
            _ => (0, 0),
        };
        let (in_flight, successes) = (view.probes_in_flight, view.probe_successes);
        assert_eq!((in_flight as usize, successes as usize), probes);
    }
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![2 => Just(Verdict::Success), 1 => Just(Verdict::Slow), 4 => Just(Verdict::Failure)]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let mode = prop_oneof![
        3 => Just(Mode::Automatic),
        1 => Just(Mode::ForcedOpen),
        1 => Just(Mode::ForcedClosed),
        1 => Just(Mode::Disabled)
    ];
    let one = prop_oneof![
        12 => Just(Move::Admit),
        10 => (any::<prop::sample::Index>(), verdict()).prop_map(|(at, verdict)| Move::Settle(at, verdict)),
        3 => any::<prop::sample::Index>().prop_map(Move::Drop),
        1 => any::<prop::sample::Index>().prop_map(Move::Detach),
        4 => verdict().prop_map(Move::Record),
        6 => (0..3_000_u64).prop_map(Move::Wait),
        1 => mode.prop_map(Move::Force),
        1 => Just(Move::Reset),
    ];
    prop::collection::vec(one, 1..120)
}

fn rule() -> impl Strategy<Value = Rule> {
    let window = (1..=32_u32).prop_flat_map(|window| {
        (1..=window, 0..=window).prop_map(move |(failures, minimum)| Rule::LastN {
            window,
            failures,
            minimum,
        })
    });
    let rate = rate().prop_map(Rule::Rate);
    prop_oneof![(1..6_u32).prop_map(Rule::Consecutive), window, rate]
}

fn rate() -> impl Strategy<Value = Rate> {
    (1..=100_u32, 1..8_u32).prop_map(|(percent, minimum)| Rate { percent, minimum })
}

fn breaker(rule: Rule, slow: Option<Rate>) -> Breaker {
    let policy = Policy::builder()
        .rule(rule)
        .slow_rate(slow)
        .window_ms(WINDOW_MS)
        .success_threshold(2)
        .half_open_max_calls(3)
        .reset_timeout_ms(RESET_MS)
        .max_reset_timeout_ms(MAX_RESET_MS)
        .lease_ms(LEASE_MS)
        .jitter_percent(0);
    Breaker::new(policy.build().unwrap_or_default())
}

type Held<'a> = Vec<(usize, Permit<'a>)>;

fn make<'a>(
    step: Move,
    breaker: &'a Breaker,
    model: &mut Model,
    held: &mut Held<'a>,
    now: &mut u64,
) {
    match step {
        Move::Admit => {
            let expected = breaker.would_admit(*now);
            let permit = breaker.admit(*now).ok();
            assert_eq!(
                (permit.is_some(), expected),
                (model.admit(*now), permit.is_some())
            );
            held.extend(permit.map(|permit| (model.episode, permit)));
        }
        Move::Settle(at, verdict) if !held.is_empty() => {
            let (episode, permit) = held.swap_remove(at.index(held.len()));
            let _ = match verdict {
                Verdict::Success => permit.success(*now),
                Verdict::Slow => permit.slow(*now),
                Verdict::Failure => permit.failure(*now),
            };
            model.settle(episode, verdict, *now);
        }
        Move::Drop(at) if !held.is_empty() => {
            let (episode, permit) = held.swap_remove(at.index(held.len()));
            drop(permit);
            model.abandon(episode);
        }
        Move::Detach(at) if !held.is_empty() => held.swap_remove(at.index(held.len())).1.detach(),
        Move::Settle(..) | Move::Drop(_) | Move::Detach(_) => {}
        Move::Record(verdict) => {
            let _ = breaker.record(verdict, *now);
            model.settle(model.episode, verdict, *now);
        }
        Move::Force(mode) => {
            breaker.force(mode, *now);
            model.force(mode);
        }
        Move::Reset => {
            breaker.reset(*now);
            model.reset();
        }
        Move::Wait(ms) => *now += ms,
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_breaker_does_what_the_model_does(
        rule in rule(), slow in prop::option::of(rate()), moves in moves(),
    ) {
        let breaker = breaker(rule, slow);
        let mut model = Model::new(rule, slow);
        let (mut held, mut now) = (Vec::new(), 0);
        for step in moves {
            make(step, &breaker, &mut model, &mut held, &mut now);
            model.assert_same(&breaker, now);
        }
    }
}
