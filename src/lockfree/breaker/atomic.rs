//! The breaker: load the word, step it, compare-exchange it. Every memory ordering of the breaker is in this file.

use crossbeam_utils::CachePadded;

use crate::lockfree::breaker::answer::{Mode, Refused, Settled, State, Transition, Verdict, View};
use crate::lockfree::breaker::permit::{Permit, Role};
use crate::lockfree::breaker::policy::{Policy, Rule};
use crate::lockfree::breaker::sliding::{Kind, Recent, SlidingWindow};
use crate::lockfree::breaker::step::{Effect, Ended, Event, mode_of, state_of, step};
use crate::lockfree::breaker::word::{Phase, Window, Word};
use crate::lockfree::sync::{Atomic, Ordering};

/// A circuit breaker. Any number of threads may share it; nobody ever waits.
///
/// Time is a number that is handed in: milliseconds on any one monotonic clock, up to 8.7 years.
#[derive(Debug)]
pub struct Breaker {
    // The word and its settings in one padded block: a neighbour's writes do not slow the load of `admit`.
    block: CachePadded<Block>,
}

#[derive(Debug)]
struct Block {
    word: Atomic<Word>,
    /// The closed word of generation 0 that a success leaves as it is; no word at all where a success has to be counted.
    clean: Word,
    policy: Policy,
    window: Option<Box<SlidingWindow>>,
}

/// No wait: the call may go. A refusal never says 0.
const GO: u64 = 0;
/// The same for the call that takes the breaker from open to half-open. No wait is so long.
const GO_FIRST: u64 = u64::MAX;

/// What is told of a call that has ended.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) verdict: Verdict,
    pub(super) now_ms: u64,
    pub(super) not_before_ms: u64,
}

impl Call {
    pub(super) const fn new(verdict: Verdict, now_ms: u64) -> Self {
        Self {
            verdict,
            now_ms,
            not_before_ms: 0,
        }
    }
}

impl Breaker {
    /// A closed breaker with nothing on record.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let fresh = Word::default();
        let clean = match policy.rule {
            _ if policy.needs_window() => Word::NEVER,
            Rule::LastN { window, .. } => fresh.with_window(Window {
                results: 0,
                known: window,
            }),
            Rule::Consecutive(_) | Rule::Rate(_) => fresh,
        };
        let window = policy
            .needs_window()
            .then(|| Box::new(SlidingWindow::new(policy.window_ms)));
        Self {
            block: CachePadded::new(Block {
                word: Atomic::new(fresh),
                clean,
                policy,
                window,
            }),
        }
    }

    /// Asks whether a call may go at `now_ms`. While closed this is one load: no write, and `now_ms` is not looked at.
    /// While open it is one load too.
    ///
    /// # Errors
    /// [`Refused`] says when to ask again. Nothing waits, and nothing is held.
    #[inline]
    pub fn admit(&self, now_ms: u64) -> Result<Permit<'_>, Refused> {
        let word = self.load();
        if word.phase() == Phase::Closed {
            return Ok(Permit::new(self, word, Role::Admitted));
        }
        if word.phase() == Phase::Open && now_ms < word.due_ms() {
            return Err(Refused {
                retry_after_ms: word.due_ms() - now_ms,
                state: State::Open,
                mode: Mode::Automatic,
            });
        }
        let (word, wait_ms) = self.admit_unless_refused(word, now_ms);
        match wait_ms {
            GO => Ok(Permit::new(self, word, Role::Admitted)),
            GO_FIRST => Ok(Permit::new(self, word, Role::First)),
            retry_after_ms => Err(Refused {
                retry_after_ms,
                state: state_of(word.phase()),
                mode: mode_of(word.phase()),
            }),
        }
    }

    /// Leave for a call that goes although [`Breaker::admit`] refused it: it is no probe, and its result changes nothing.
    /// For who only watches what the breaker would do.
    pub fn pass(&self) -> Permit<'_> {
        Permit::new(self, self.load(), Role::Passed)
    }

    /// Whether [`Breaker::admit`] would let a call go at `now_ms`. Changes nothing.
    #[must_use]
    pub fn would_admit(&self, now_ms: u64) -> bool {
        let (_, effect) = step(&self.block.policy, self.load(), Event::Admit, now_ms);
        !matches!(effect, Effect::Refused(_))
    }

    /// Counts the result of a call that had no permit. While half-open it gives back the slot of a [detached](Permit::detach) permit.
    pub fn record(&self, verdict: Verdict, now_ms: u64) -> Settled {
        let word = self.load();
        if verdict == Verdict::Success && self.is_clean(word) {
            return Settled::Quiet;
        }
        self.settle(word, None, Call::new(verdict, now_ms))
    }

    /// Counts the result of a call that was sent before this breaker was made: once the breaker has changed, it comes too late.
    pub fn record_earlier(&self, verdict: Verdict, now_ms: u64) -> Settled {
        let first = Word::default().generation();
        self.settle(self.load(), Some(first), Call::new(verdict, now_ms))
    }

    /// Whether calls flow. Open also when a probe is due and nobody has asked yet.
    #[must_use]
    pub fn state(&self) -> State {
        state_of(self.load().phase())
    }

    /// Who decides on the state.
    #[must_use]
    pub fn mode(&self) -> Mode {
        mode_of(self.load().phase())
    }

    /// One consistent look.
    #[must_use]
    pub fn view(&self, now_ms: u64) -> View {
        let word = self.load();
        let phase = word.phase();
        let probes = (phase == Phase::HalfOpen).then(|| word.probes());
        View {
            state: state_of(phase),
            mode: mode_of(phase),
            failures: self.failures_on_record(word, now_ms),
            generation: word.generation(),
            retry_after_ms: (phase == Phase::Open).then(|| word.due_ms().saturating_sub(now_ms)),
            probes_in_flight: probes.map_or(0, |p| p.in_flight),
            probe_successes: probes.map_or(0, |p| p.successes),
            opens_in_a_row: word.opens_in_a_row(),
        }
    }

    fn failures_on_record(&self, word: Word, now_ms: u64) -> u32 {
        match (self.block.policy.rule, &self.block.window) {
            _ if !matches!(word.phase(), Phase::Closed | Phase::ForcedClosed) => 0,
            (Rule::Consecutive(_), _) => word.row(),
            (Rule::LastN { .. }, _) => word.window().results.count_ones(),
            (Rule::Rate(_), window) => window.as_ref().map_or(0, |window| {
                let failed = window.recent(word.generation(), now_ms).failed;
                u32::try_from(failed).unwrap_or(u32::MAX)
            }),
        }
    }

    /// Puts an operator in charge, or with [`Mode::Automatic`] lets results decide again, from closed and fresh.
    /// Calls in flight no longer count. None if that mode was already on.
    pub fn force(&self, mode: Mode, now_ms: u64) -> Option<Transition> {
        changed(self.fire(self.load(), Event::Force(mode), now_ms))
    }

    /// Back to automatic, closed and fresh; calls in flight no longer count. None if no state or mode changed by it.
    pub fn reset(&self, now_ms: u64) -> Option<Transition> {
        changed(self.fire(self.load(), Event::Reset, now_ms))
    }

    /// The word that holds, and [`GO`], [`GO_FIRST`] or how long to wait: two registers, so that the quick ways of `admit`
    /// need no memory either.
    #[cold]
    fn admit_unless_refused(&self, word: Word, now_ms: u64) -> (Word, u64) {
        match self.fire_on(word, Event::Admit, now_ms) {
            (word, Effect::Refused(refused)) => (word, refused.retry_after_ms),
            (word, Effect::Probe { first: true }) => (word, GO_FIRST),
            (word, _) => (word, GO),
        }
    }

    #[cold]
    pub(super) fn settle(&self, word: Word, generation: Option<u32>, call: Call) -> Settled {
        let (recent, generation) = self.count(word, generation, call);
        let ended = Ended {
            verdict: call.verdict,
            recent,
            not_before_ms: call.not_before_ms,
        };
        let event = Event::Settle { ended, generation };
        match self.fire(word, event, call.now_ms) {
            Effect::Settled(settled) => settled,
            _ => Settled::Quiet,
        }
    }

    /// Counts a call of the present generation in the window of time, if there is one, and looks at all of it if the call can
    /// open the breaker. What was seen holds for that generation alone, so the result is told with it.
    fn count(&self, word: Word, generation: Option<u32>, call: Call) -> (Recent, Option<u32>) {
        let present = word.generation();
        let counts = matches!(word.phase(), Phase::Closed | Phase::ForcedClosed)
            && generation.is_none_or(|generation| generation == present);
        let Some(window) = self.block.window.as_ref().filter(|_| counts) else {
            return (Recent::default(), generation);
        };
        let kind = match call.verdict {
            Verdict::Success => Kind::Good,
            Verdict::Slow => Kind::Slow,
            Verdict::Failure => Kind::Failed,
        };
        window.count(kind, present, call.now_ms);
        let recent = match kind {
            Kind::Good => Recent::default(),
            Kind::Slow | Kind::Failed => window.recent(present, call.now_ms),
        };
        (recent, Some(present))
    }

    /// Whether a success would leave `word` as it is: closed, with nothing but successes on record.
    #[inline]
    pub(super) fn is_clean(&self, word: Word) -> bool {
        word.in_first_generation() == self.block.clean
    }

    pub(super) fn fire(&self, seen: Word, event: Event, now_ms: u64) -> Effect {
        self.fire_on(seen, event, now_ms).1
    }

    /// Steps the word until nobody was faster. The word that holds then, and what this caller alone made happen.
    fn fire_on(&self, mut seen: Word, event: Event, now_ms: u64) -> (Word, Effect) {
        loop {
            let (next, effect) = step(&self.block.policy, seen, event, now_ms);
            if next == seen {
                return (seen, effect);
            }
            // AcqRel on success: what this caller wrote before (the cause of an open) is seen by whoever acts on the new word,
            // and it sees what those before it wrote. Acquire on failure: the word that was faster is stepped from as if loaded.
            // Pairs with `load` and with itself.
            match self.block.word.compare_exchange_weak(
                seen,
                next,
                Ordering::AcqRel,
                Ordering::Acquire,
            ) {
                Ok(_) => return (next, effect),
                Err(faster) => seen = faster,
            }
        }
    }

    #[inline]
    pub(super) fn load(&self) -> Word {
        // Acquire: all that a decision needs is in the word itself; acquire only so that a caller which is refused also sees
        // what the opener wrote before it opened. Pairs with the compare-exchange in `fire_on`.
        self.block.word.load(Ordering::Acquire)
    }
}

fn changed(effect: Effect) -> Option<Transition> {
    match effect {
        Effect::Changed(transition) => Some(transition),
        _ => None,
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use std::sync::Barrier;

    use super::*;
    use crate::lockfree::Rate;

    fn policy() -> Policy {
        Policy::builder()
            .rule(Rule::Consecutive(2))
            .success_threshold(2)
            .half_open_max_calls(2)
            .jitter_percent(0)
            .build()
            .unwrap()
    }

    /// A breaker that opened at 0 ms; its first probe is due at 30,000.
    fn open() -> Breaker {
        let breaker = Breaker::new(policy());
        for _ in 0..2 {
            let _ = breaker.record(Verdict::Failure, 0);
        }
        assert_eq!(breaker.view(0).state, State::Open);
        breaker
    }

    #[test]
    fn a_closed_breaker_admits_and_counts_failures_in_a_row() {
        let breaker = Breaker::new(policy());
        let failed = breaker.admit(0).unwrap().failure(0);
        assert_eq!(
            failed,
            Settled::Counted {
                failures: 1,
                threshold: 2
            }
        );
        assert_eq!(breaker.admit(0).unwrap().success(0), Settled::Quiet);
        assert_eq!(breaker.view(0).failures, 0);
    }

    #[test]
    fn the_failure_that_reaches_the_threshold_opens_and_calls_are_refused_until_the_probe_is_due() {
        let breaker = Breaker::new(policy());
        let _ = breaker.record(Verdict::Failure, 0);
        let opened = breaker.admit(5).unwrap().failure(10);
        assert_eq!(
            opened,
            Settled::Opened {
                failures: 2,
                retry_in_ms: 30_000,
                reopened: false
            }
        );
        let refused = breaker.admit(30_009).unwrap_err();
        assert_eq!((refused.retry_after_ms, refused.state), (1, State::Open));
        assert!(!breaker.would_admit(30_009));
        assert!(breaker.would_admit(30_010));
        let due = breaker.view(30_020);
        assert_eq!((due.state, due.retry_after_ms), (State::Open, Some(0)));
    }

    #[test]
    fn enough_successful_probes_close_it() {
        let breaker = open();
        let first = breaker.admit(30_000).unwrap();
        assert!(first.is_probe() && first.entered_half_open());
        let second = breaker.admit(30_000).unwrap();
        assert!(second.is_probe() && !second.entered_half_open());
        assert_eq!(breaker.admit(30_000).unwrap_err().state, State::HalfOpen);
        assert_eq!(
            first.success(30_001),
            Settled::ProbeSucceeded {
                successes: 1,
                needed: 2
            }
        );
        assert_eq!(second.success(30_001), Settled::Closed);
        assert_eq!(breaker.view(30_001).state, State::Closed);
    }

    #[test]
    fn a_failed_probe_opens_it_again_for_twice_as_long() {
        let breaker = open();
        let probe = breaker.admit(30_000).unwrap();
        assert_eq!(
            probe.failure(30_500),
            Settled::Opened {
                failures: 1,
                retry_in_ms: 60_000,
                reopened: true
            }
        );
        assert_eq!(breaker.view(30_500).retry_after_ms, Some(60_000));
    }

    #[test]
    fn a_dropped_probe_gives_its_slot_back_and_counts_neither_way() {
        let breaker = open();
        drop(breaker.admit(30_000).unwrap());
        let view = breaker.view(30_000);
        assert_eq!((view.probes_in_flight, view.probe_successes), (0, 0));
        assert!(breaker.admit(30_000).is_ok());
    }

    #[test]
    fn a_detached_probe_is_settled_by_a_result_without_a_permit() {
        let breaker = open();
        breaker.admit(30_000).unwrap().detach();
        assert_eq!(breaker.view(30_000).probes_in_flight, 1);
        let _ = breaker.record(Verdict::Success, 30_000);
        let view = breaker.view(30_000);
        assert_eq!((view.probes_in_flight, view.probe_successes), (0, 1));
    }

    #[test]
    fn a_result_that_comes_after_a_change_of_state_changes_nothing() {
        let breaker = Breaker::new(policy());
        let late = breaker.admit(0).unwrap();
        let later = breaker.admit(0).unwrap();
        breaker.reset(0);
        let _ = breaker.record(Verdict::Failure, 0);
        breaker.reset(0);
        let before = breaker.view(0);
        assert_eq!(late.failure(0), Settled::Stale);
        assert_eq!(later.success(0), Settled::Stale);
        assert_eq!(breaker.view(0), before);
    }

    #[test]
    fn a_probe_that_never_reports_loses_its_slot_when_its_lease_ends() {
        let breaker = open();
        let lost = [
            breaker.admit(30_000).unwrap(),
            breaker.admit(30_000).unwrap(),
        ];
        assert_eq!(breaker.admit(89_999).unwrap_err().state, State::HalfOpen);
        // Until 90,000 ms, rounded up to 256.
        assert_eq!(breaker.admit(90_111).unwrap_err().retry_after_ms, 1);
        let probe = breaker.admit(90_300).unwrap();
        assert!(probe.is_probe() && !probe.entered_half_open());
        assert_eq!(breaker.view(90_300).probes_in_flight, 1);
        for permit in lost {
            assert_eq!(permit.success(90_300), Settled::Stale);
        }
        assert_eq!(breaker.view(90_300).probes_in_flight, 1);
    }

    #[test]
    fn an_operator_overrides_the_results_and_can_hand_back() {
        let breaker = open();
        let forced = breaker.force(Mode::ForcedClosed, 0);
        assert_eq!(
            forced,
            Some(Transition {
                from: State::Open,
                to: State::Closed,
                mode: Mode::ForcedClosed
            })
        );
        for _ in 0..9 {
            let _ = breaker.admit(0).unwrap().failure(0);
        }
        assert_eq!(breaker.view(0).failures, 9);
        assert!(breaker.force(Mode::ForcedOpen, 0).is_some());
        assert_eq!(breaker.force(Mode::ForcedOpen, 0), None);
        assert_eq!(breaker.admit(u64::MAX).unwrap_err().mode, Mode::ForcedOpen);
        assert!(breaker.force(Mode::Automatic, 0).is_some());
        assert!(breaker.admit(0).is_ok());
    }

    #[test]
    fn a_call_that_passes_although_it_was_refused_changes_nothing() {
        let breaker = open();
        let changes = |breaker: &Breaker, now_ms| {
            let before = breaker.view(now_ms);
            assert_eq!(breaker.pass().failure(now_ms), Settled::Stale);
            assert_eq!(breaker.pass().success(now_ms), Settled::Stale);
            assert!(!breaker.pass().is_probe());
            breaker.view(now_ms) != before
        };
        assert!(!changes(&breaker, 0));
        let probes = [(); 2].map(|()| breaker.admit(30_000).unwrap());
        assert!(breaker.admit(30_000).is_err());
        assert!(!changes(&breaker, 30_000));
        drop(probes);
    }

    #[test]
    fn a_result_from_before_the_breaker_counts_until_it_first_changes() {
        let breaker = Breaker::new(policy());
        let failure = || breaker.record_earlier(Verdict::Failure, 0);
        assert!(matches!(failure(), Settled::Counted { .. }));
        assert!(matches!(failure(), Settled::Opened { .. }));
        let probe = breaker.admit(30_000).unwrap();
        assert_eq!(failure(), Settled::Stale);
        assert_eq!(breaker.state(), State::HalfOpen);
        drop(probe);
    }

    #[test]
    fn a_backend_that_asks_for_a_pause_is_not_probed_before() {
        let breaker = Breaker::new(policy());
        let _ = breaker.admit(0).unwrap().failure_until(0, 90_000);
        let opened = breaker.admit(0).unwrap().failure_until(0, 90_000);
        assert!(matches!(
            opened,
            Settled::Opened {
                retry_in_ms: 90_000,
                ..
            }
        ));
        assert_eq!(breaker.admit(89_999).unwrap_err().retry_after_ms, 1);
        assert!(breaker.admit(90_000).is_ok());
    }

    #[test]
    fn a_rate_opens_a_dead_backend_in_as_many_failures_as_on_the_first_day() {
        let rate = Rate {
            percent: 50,
            minimum: 10,
        };
        let policy = Policy::builder().rule(Rule::Rate(rate)).window_ms(10_000);
        let breaker = Breaker::new(policy.build().unwrap());
        let failures_to_open = |now_ms| {
            let opens = |_: &u32| {
                let settled = breaker.admit(now_ms).unwrap().failure(now_ms);
                matches!(settled, Settled::Opened { .. })
            };
            (1..100).find(opens)
        };
        assert_eq!(failures_to_open(0), Some(10));
        breaker.reset(0);
        for _ in 0..1_000_000 {
            let _ = breaker.admit(1).unwrap().success(1);
        }
        assert_eq!(failures_to_open(10_001), Some(10));
    }

    #[test]
    fn a_rate_weighs_failures_against_the_successes_of_all_threads() {
        let rate = Rate {
            percent: 10,
            minimum: 1,
        };
        let policy = Policy::builder().rule(Rule::Rate(rate)).build().unwrap();
        let breaker = Breaker::new(policy);
        let succeed = || {
            for _ in 0..30 {
                let _ = breaker.record(Verdict::Success, 5);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(succeed);
            }
        });
        for failures in 1..10 {
            let settled = breaker.record(Verdict::Failure, 5);
            assert!(matches!(settled, Settled::Counted { failures: f, .. } if f == failures));
            assert_eq!(breaker.view(5).failures, failures);
        }
        assert!(matches!(
            breaker.record(Verdict::Failure, 5),
            Settled::Opened { failures: 10, .. }
        ));
    }

    #[test]
    fn a_million_successes_leave_the_word_as_it_is() {
        let window = Rule::LastN {
            window: 32,
            failures: 16,
            minimum: 32,
        };
        for rule in [Rule::Consecutive(5), window] {
            let breaker = Breaker::new(Policy::builder().rule(rule).build().unwrap());
            // A window is full of successes after so many of them; a row of failures needs none.
            for _ in 0..32 {
                let _ = breaker.admit(0).unwrap().success(0);
            }
            let before = breaker.load();
            for _ in 0..500_000 {
                let _ = breaker.admit(0).unwrap().success(0);
                let _ = breaker.record(Verdict::Success, 0);
                assert!(breaker.is_clean(breaker.load()));
            }
            assert_eq!(breaker.load(), before);
        }
    }

    #[test]
    fn the_word_is_eight_bytes_and_shares_its_block_with_nothing_but_its_settings() {
        assert_eq!(size_of::<Atomic<Word>>(), 8);
        assert_eq!(size_of::<Breaker>(), 128);
        assert_eq!(align_of::<Breaker>(), 128);
        assert_eq!(size_of::<Permit<'_>>(), 24);
    }

    /// One of four threads that ask fifty times each at the moment a probe is due, round after round.
    fn one_of_two_hundred(breaker: &Breaker, together: &Barrier, admitted: &Atomic<u64>) {
        for round in 0..10_000_u64 {
            let due_ms = round * 100_000 + 30_000;
            if together.wait().is_leader() {
                breaker.reset(0);
                for _ in 0..2 {
                    let _ = breaker.record(Verdict::Failure, due_ms - 30_000);
                }
                admitted.store(0, Ordering::Relaxed);
            }
            together.wait();
            let went = (0..50).filter(|_| breaker.admit(due_ms).map(Permit::detach).is_ok());
            admitted.fetch_add(went.count() as u64, Ordering::Relaxed);
            together.wait();
            assert_eq!(admitted.load(Ordering::Relaxed), 2, "in round {round}");
        }
    }

    #[test]
    fn of_two_hundred_callers_at_the_instant_of_half_open_exactly_as_many_go_as_may_in_every_round()
    {
        let (breaker, together) = (Breaker::new(policy()), Barrier::new(4));
        let admitted = Atomic::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| one_of_two_hundred(&breaker, &together, &admitted));
            }
        });
    }

    /// What one thread of the crowd was told, summed up.
    #[derive(Default)]
    struct Told {
        opened: u32,
        reopened: u32,
        entered: u32,
        closed: u32,
    }

    fn one_of_a_crowd(breaker: &Breaker, clock: &Atomic<u64>, seed: u64) -> Told {
        let (mut told, mut dice) = (Told::default(), seed);
        for _ in 0..20_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let now_ms = clock.fetch_add(1, Ordering::Relaxed);
            let Ok(permit) = breaker.admit(now_ms) else {
                continue;
            };
            told.entered += u32::from(permit.entered_half_open());
            let settled = match dice >> 61 {
                0 => continue,
                1..4 => permit.failure(now_ms),
                _ => permit.success(now_ms),
            };
            match settled {
                Settled::Opened { reopened, .. } if reopened => told.reopened += 1,
                Settled::Opened { .. } => told.opened += 1,
                Settled::Closed => told.closed += 1,
                _ => {}
            }
        }
        told
    }

    #[test]
    fn what_a_crowd_of_threads_is_told_adds_up_to_what_happened() {
        let policy = Policy::builder()
            .reset_timeout_ms(20)
            .max_reset_timeout_ms(40)
            .lease_ms(1_000_000)
            .rule(Rule::Consecutive(2))
            .success_threshold(2);
        let breaker = Breaker::new(policy.build().unwrap());
        let clock = Atomic::new(0);
        let all: Vec<Told> = std::thread::scope(|scope| {
            let crowd = [1, 2, 3, 4].map(|seed| {
                let (breaker, clock) = (&breaker, &clock);
                scope.spawn(move || one_of_a_crowd(breaker, clock, seed))
            });
            crowd.into_iter().map(|one| one.join().unwrap()).collect()
        });
        let sum = |count: fn(&Told) -> u32| all.iter().map(count).sum::<u32>();
        let (opened, reopened) = (sum(|t| t.opened), sum(|t| t.reopened));
        let (entered, closed) = (sum(|t| t.entered), sum(|t| t.closed));
        let state = breaker.view(0).state;
        assert!(opened > 10 && reopened > 10 && closed > 10);
        assert_eq!(opened, closed + u32::from(state != State::Closed));
        assert_eq!(
            entered,
            closed + reopened + u32::from(state == State::HalfOpen)
        );
        assert_eq!(
            breaker.view(0).generation,
            opened + reopened + entered + closed
        );
        assert_eq!(breaker.view(0).probes_in_flight, 0);
    }
}
