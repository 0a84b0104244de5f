//! What each event does to each word: pure and total, without atomics or a clock.

use crate::lockfree::breaker::answer::{Mode, Refused, Settled, State, Transition, Verdict};
use crate::lockfree::breaker::policy::{Policy, Rule};
use crate::lockfree::breaker::sliding::Recent;
use crate::lockfree::breaker::word::{LAST_MS, Phase, Probes, Window, Word};

/// What can happen to a breaker. `generation` is that of the permit, or none for a result that had no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A call asks whether it may go.
    Admit,
    /// A call has ended.
    Settle {
        ended: Ended,
        generation: Option<u32>,
    },
    /// A call will never report.
    Abandon { generation: u32 },
    /// An operator decides; automatic means that results decide again.
    Force(Mode),
    /// An operator wants a fresh start.
    Reset,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) verdict: Verdict,
    /// The calls in the window of time, this one included; looked at only by policies that have one.
    pub(super) recent: Recent,
    /// The backend asked not to be called before, in milliseconds; 0 if it did not ask.
    pub(super) not_before_ms: u64,
}

/// What the event did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Admitted,
    Probe { first: bool },
    Refused(Refused),
    Settled(Settled),
    Changed(Transition),
    Nothing,
}

/// The word after `event`, and what happened. The word is written only if it differs.
///
/// `transitions.md` beside this file draws it, and holds the table of every event at every word.
pub(super) fn step(policy: &Policy, word: Word, event: Event, now_ms: u64) -> (Word, Effect) {
    let now_ms = now_ms.min(LAST_MS);
    match event {
        Event::Admit => admit(policy, word, now_ms),
        Event::Settle {
            generation: Some(generation),
            ..
        } if generation != word.generation() => (word, Effect::Settled(Settled::Stale)),
        Event::Settle { ended, .. } => {
            let (word, settled) = settle(policy, word, &ended, now_ms);
            (word, Effect::Settled(settled))
        }
        Event::Abandon { generation } => (abandon(word, generation), Effect::Nothing),
        Event::Force(mode) => force(word, mode),
        Event::Reset => reset(word),
    }
}

fn admit(policy: &Policy, word: Word, now_ms: u64) -> (Word, Effect) {
    match word.phase() {
        Phase::Closed | Phase::ForcedClosed | Phase::Disabled => (word, Effect::Admitted),
        Phase::Open if now_ms >= word.due_ms() => {
            let first = Probes {
                in_flight: 1,
                successes: 0,
                lease_ends_ms: now_ms + policy.lease_ms,
            };
            let half_open = word.next(Phase::HalfOpen, word.opens_in_a_row());
            (half_open.with_probes(first), Effect::Probe { first: true })
        }
        Phase::Open => (word, refused(word, word.due_ms() - now_ms)),
        Phase::HalfOpen => admit_probe(policy, word, now_ms),
        Phase::ForcedOpen => (word, refused(word, policy.reset_timeout_ms)),
    }
}

fn admit_probe(policy: &Policy, word: Word, now_ms: u64) -> (Word, Effect) {
    let probes = word.probes();
    let one_more = Probes {
        in_flight: probes.in_flight + 1,
        lease_ends_ms: now_ms + policy.lease_ms,
        ..probes
    };
    if probes.in_flight < policy.half_open_max_calls {
        return (word.with_probes(one_more), Effect::Probe { first: false });
    }
    if now_ms < probes.lease_ends_ms {
        let wait_ms = probes.lease_ends_ms - now_ms;
        return (word, refused(word, wait_ms.min(policy.reset_timeout_ms)));
    }
    // The next generation: the probes that were given up cannot give back, or vote with, a slot that is no longer theirs.
    let anew = word.next(Phase::HalfOpen, word.opens_in_a_row());
    let only = Probes {
        in_flight: 1,
        ..one_more
    };
    (anew.with_probes(only), Effect::Probe { first: false })
}

fn settle(policy: &Policy, word: Word, ended: &Ended, now_ms: u64) -> (Word, Settled) {
    match (word.phase(), ended.verdict) {
        (Phase::Closed | Phase::ForcedClosed, Verdict::Success) => {
            (count_success(policy, word), Settled::Quiet)
        }
        (Phase::Closed | Phase::ForcedClosed, Verdict::Slow) => {
            count_slow(policy, word, ended, now_ms)
        }
        (Phase::Closed | Phase::ForcedClosed, Verdict::Failure) => {
            count_failure(policy, word, ended, now_ms)
        }
        (Phase::HalfOpen, Verdict::Success) => probe_succeeded(policy, word),
        (Phase::HalfOpen, Verdict::Slow | Verdict::Failure) => {
            open(policy, word, 1, now_ms, ended.not_before_ms)
        }
        (Phase::Disabled, _) => (word, Settled::Quiet),
        (Phase::Open | Phase::ForcedOpen, _) => (word, Settled::Stale),
    }
}

fn count_success(policy: &Policy, word: Word) -> Word {
    match policy.rule {
        Rule::Consecutive(_) => word.with_row(0),
        Rule::LastN { window, .. } => word.with_window(slide(word.window(), window, 0)),
        Rule::Rate(_) => word,
    }
}

fn count_slow(policy: &Policy, word: Word, ended: &Ended, now_ms: u64) -> (Word, Settled) {
    let Recent { calls, slow, .. } = ended.recent;
    let too_many = policy.slow.is_some_and(|rate| rate.is_reached(slow, calls));
    if word.phase() == Phase::Closed && too_many {
        return open(policy, word, clamped(slow), now_ms, ended.not_before_ms);
    }
    (count_success(policy, word), Settled::Quiet)
}

fn count_failure(policy: &Policy, word: Word, ended: &Ended, now_ms: u64) -> (Word, Settled) {
    let (counted, failures, threshold, enough_known) = match policy.rule {
        Rule::Consecutive(threshold) => {
            let row = word.row().saturating_add(1);
            (word.with_row(row), row, threshold, true)
        }
        Rule::LastN {
            window,
            failures: threshold,
            minimum,
        } => {
            let slid = slide(word.window(), window, 1);
            let failures = slid.results.count_ones();
            let known = slid.known >= minimum;
            (word.with_window(slid), failures, threshold, known)
        }
        Rule::Rate(rate) => {
            let Recent { calls, failed, .. } = ended.recent;
            let threshold = clamped(rate.enough_of(calls));
            let known = calls >= u64::from(rate.minimum);
            (word, clamped(failed), threshold, known)
        }
    };
    if word.phase() == Phase::Closed && enough_known && failures >= threshold {
        return open(policy, word, failures, now_ms, ended.not_before_ms);
    }
    let settled = Settled::Counted {
        failures,
        threshold,
    };
    (counted, settled)
}

fn clamped(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The window with one result more: the oldest falls out once `width` are known.
const fn slide(window: Window, width: u32, newest: u32) -> Window {
    let kept = u32::MAX >> (32 - width);
    Window {
        results: (window.results << 1 | newest) & kept,
        known: if window.known < width {
            window.known + 1
        } else {
            width
        },
    }
}

/// Open until the back-off is over, and not before the backend wants to be called again.
fn open(
    policy: &Policy,
    word: Word,
    failures: u32,
    now_ms: u64,
    not_before_ms: u64,
) -> (Word, Settled) {
    let opened = word.next(Phase::Open, word.opens_in_a_row() + 1);
    let backed_off_ms = policy.open_for_ms(word.opens_in_a_row(), opened.generation());
    let retry_in_ms = backed_off_ms.max(not_before_ms.min(LAST_MS).saturating_sub(now_ms));
    let settled = Settled::Opened {
        failures,
        retry_in_ms,
        reopened: word.phase() == Phase::HalfOpen,
    };
    (opened.with_due_ms(now_ms + retry_in_ms), settled)
}

fn probe_succeeded(policy: &Policy, word: Word) -> (Word, Settled) {
    let probes = word.probes();
    let (successes, needed) = (probes.successes + 1, policy.success_threshold);
    if successes >= needed {
        return (word.next(Phase::Closed, 0), Settled::Closed);
    }
    let settled = Settled::ProbeSucceeded { successes, needed };
    let counted = Probes {
        in_flight: probes.in_flight.saturating_sub(1),
        successes,
        ..probes
    };
    (word.with_probes(counted), settled)
}

fn abandon(word: Word, generation: u32) -> Word {
    if word.phase() != Phase::HalfOpen || word.generation() != generation {
        return word;
    }
    let probes = word.probes();
    word.with_probes(Probes {
        in_flight: probes.in_flight.saturating_sub(1),
        ..probes
    })
}

fn force(word: Word, mode: Mode) -> (Word, Effect) {
    let phase = match mode {
        _ if mode == mode_of(word.phase()) => return (word, Effect::Nothing),
        Mode::Automatic => Phase::Closed,
        Mode::ForcedOpen => Phase::ForcedOpen,
        Mode::ForcedClosed => Phase::ForcedClosed,
        Mode::Disabled => Phase::Disabled,
    };
    turn(word, phase)
}

fn reset(word: Word) -> (Word, Effect) {
    match word.phase() {
        Phase::Closed => (word.next(Phase::Closed, 0), Effect::Nothing),
        _ => turn(word, Phase::Closed),
    }
}

fn turn(word: Word, phase: Phase) -> (Word, Effect) {
    let transition = Transition {
        from: state_of(word.phase()),
        to: state_of(phase),
        mode: mode_of(phase),
    };
    (word.next(phase, 0), Effect::Changed(transition))
}

fn refused(word: Word, retry_after_ms: u64) -> Effect {
    Effect::Refused(Refused {
        retry_after_ms: retry_after_ms.max(1),
        state: state_of(word.phase()),
        mode: mode_of(word.phase()),
    })
}

pub(super) const fn state_of(phase: Phase) -> State {
    match phase {
        Phase::Closed | Phase::ForcedClosed | Phase::Disabled => State::Closed,
        Phase::Open | Phase::ForcedOpen => State::Open,
        Phase::HalfOpen => State::HalfOpen,
    }
}

pub(super) const fn mode_of(phase: Phase) -> Mode {
    match phase {
        Phase::Closed | Phase::Open | Phase::HalfOpen => Mode::Automatic,
        Phase::ForcedOpen => Mode::ForcedOpen,
        Phase::ForcedClosed => Mode::ForcedClosed,
        Phase::Disabled => Mode::Disabled,
    }
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use crate::lockfree::breaker::policy::Rate;

    const NOW_MS: u64 = 100_000;

    fn policy() -> Policy {
        Policy::builder()
            .rule(Rule::Consecutive(3))
            .success_threshold(2)
            .half_open_max_calls(2)
            .jitter_percent(0)
            .build()
            .unwrap()
    }

    fn half_open(in_flight: u32, successes: u32, lease_ends_ms: u64) -> Word {
        let probes = Probes {
            in_flight,
            successes,
            lease_ends_ms,
        };
        Word::default().next(Phase::HalfOpen, 1).with_probes(probes)
    }

    /// Every phase, and within a phase every word that an event could treat differently.
    fn words() -> [(&'static str, Word); 12] {
        let open = Word::default().next(Phase::Open, 1);
        let later_ms = NOW_MS + 10_000;
        let forced = |phase| Word::default().next(phase, 0);
        [
            ("closed", Word::default()),
            ("closed, 2 failures", Word::default().with_row(2)),
            ("open, not due", open.with_due_ms(later_ms)),
            ("open, due", open.with_due_ms(NOW_MS)),
            ("half-open, none in flight", half_open(0, 0, later_ms)),
            ("half-open, a free slot", half_open(1, 0, later_ms)),
            ("half-open, full", half_open(2, 0, later_ms)),
            ("half-open, full, lease over", half_open(2, 1, NOW_MS - 256)),
            ("half-open, one success short", half_open(1, 1, later_ms)),
            ("forced open", forced(Phase::ForcedOpen)),
            ("forced closed", forced(Phase::ForcedClosed)),
            ("disabled", forced(Phase::Disabled)),
        ]
    }

    fn settle(verdict: Verdict, generation: Option<u32>) -> Event {
        let ended = Ended {
            verdict,
            recent: Recent::default(),
            not_before_ms: 0,
        };
        Event::Settle { ended, generation }
    }

    fn events(word: Word) -> [(&'static str, Event); 16] {
        let (mine, other) = (word.generation(), word.generation() + 1);
        [
            ("admit", Event::Admit),
            ("success", settle(Verdict::Success, Some(mine))),
            ("slow", settle(Verdict::Slow, Some(mine))),
            ("failure", settle(Verdict::Failure, Some(mine))),
            ("free success", settle(Verdict::Success, None)),
            ("free failure", settle(Verdict::Failure, None)),
            ("late success", settle(Verdict::Success, Some(other))),
            ("late slow", settle(Verdict::Slow, Some(other))),
            ("late failure", settle(Verdict::Failure, Some(other))),
            ("abandon", Event::Abandon { generation: mine }),
            ("late abandon", Event::Abandon { generation: other }),
            ("automatic", Event::Force(Mode::Automatic)),
            ("force open", Event::Force(Mode::ForcedOpen)),
            ("force closed", Event::Force(Mode::ForcedClosed)),
            ("disable", Event::Force(Mode::Disabled)),
            ("reset", Event::Reset),
        ]
    }

    /// The page that users of the library read; its table says what each event does to each word.
    const PAGE: &str = include_str!("transitions.md");

    /// The rows of the table, the names of the events first.
    fn table() -> impl Iterator<Item = Vec<&'static str>> {
        let block = PAGE.split("```table").nth(1).unwrap_or_default();
        let block = block.split("```").next().unwrap_or_default();
        let rows = block.lines().map(|row| row.split_whitespace().collect());
        rows.filter(|row: &Vec<_>| !row.is_empty())
    }

    fn mark(before: Word, after: Word, effect: Effect) -> String {
        let phase = match after.phase() {
            Phase::Closed => "C",
            Phase::Open => "O",
            Phase::HalfOpen => "H",
            Phase::ForcedOpen => "FO",
            Phase::ForcedClosed => "FC",
            Phase::Disabled => "D",
        };
        let change = if after == before {
            "=".to_owned()
        } else if after.generation() == before.generation() {
            assert_eq!(after.phase(), before.phase());
            assert_eq!(after.opens_in_a_row(), before.opens_in_a_row());
            "~".to_owned()
        } else {
            assert_eq!(after.generation(), before.generation() + 1);
            format!("{phase}+")
        };
        let effect = match effect {
            Effect::Admitted => "a",
            Effect::Probe { first: true } => "P",
            Effect::Probe { first: false } => "p",
            Effect::Refused(_) => "r",
            Effect::Settled(Settled::Quiet) => "q",
            Effect::Settled(Settled::Counted { .. }) => "c",
            Effect::Settled(Settled::Opened { .. }) => "o",
            Effect::Settled(Settled::Closed) => "x",
            Effect::Settled(Settled::ProbeSucceeded { .. }) => "s",
            Effect::Settled(Settled::Stale) => "l",
            Effect::Changed(_) => "t",
            Effect::Nothing => "n",
        };
        format!("{change}/{effect}")
    }

    #[test]
    fn every_event_does_to_every_word_what_the_table_says() {
        let mut rows = table();
        assert_eq!(
            rows.next().unwrap(),
            events(Word::default()).map(|(name, _)| name.replace(' ', "_"))
        );
        for (name, word) in words() {
            let row = rows.next().unwrap();
            assert_eq!(row[0], name.replace(' ', "_"));
            for ((happens, event), expected) in events(word).into_iter().zip(&row[1..]) {
                let (after, effect) = step(&policy(), word, event, NOW_MS);
                assert_eq!(mark(word, after, effect), *expected, "{happens} at {name}");
            }
            assert_eq!(row.len(), 1 + events(word).len());
        }
        assert_eq!(rows.next(), None);
    }

    #[test]
    fn an_operator_s_transition_names_both_ends() {
        let (_, effect) = step(
            &policy(),
            half_open(1, 0, 0),
            Event::Force(Mode::ForcedOpen),
            0,
        );
        assert_eq!(
            effect,
            Effect::Changed(Transition {
                from: State::HalfOpen,
                to: State::Open,
                mode: Mode::ForcedOpen
            })
        );
    }

    #[test]
    fn a_refusal_says_when_to_ask_again() {
        let wait = |word, now_ms| match step(&policy(), word, Event::Admit, now_ms).1 {
            Effect::Refused(refused) => refused.retry_after_ms,
            admitted => panic!("{admitted:?}"),
        };
        let open = Word::default().next(Phase::Open, 1).with_due_ms(5_000);
        assert_eq!(wait(open, 1_000), 4_000);
        assert_eq!(wait(half_open(2, 0, 10_240), 10_000), 240);
        assert_eq!(wait(half_open(2, 0, 102_400), 10_000), 30_000);
        assert_eq!(wait(Word::default().next(Phase::ForcedOpen, 0), 0), 30_000);
    }

    #[test]
    fn no_refusal_says_zero() {
        let open = Word::default().next(Phase::Open, 1);
        let Effect::Refused(Refused { retry_after_ms, .. }) = refused(open, 0) else {
            panic!("refused");
        };
        assert_eq!(retry_after_ms, 1);
    }

    #[test]
    fn the_first_probe_has_its_lease_like_every_other() {
        let open = Word::default().next(Phase::Open, 1).with_due_ms(NOW_MS);
        let (first, _) = step(&policy(), open, Event::Admit, NOW_MS);
        let (second, _) = step(&policy(), first, Event::Admit, NOW_MS);
        let ends_ms = (NOW_MS + 60_000).next_multiple_of(256);
        for word in [first, second] {
            assert_eq!(word.probes().lease_ends_ms, ends_ms);
        }
    }

    #[test]
    fn a_row_of_failures_that_nothing_ends_stays_at_the_most_that_can_be_counted() {
        let forced = Word::default().next(Phase::ForcedClosed, 0);
        let longest = forced.with_row(u32::MAX);
        let (word, _) = step(&policy(), longest, settle(Verdict::Failure, None), 0);
        assert_eq!(word, longest);
    }

    #[test]
    fn a_window_that_knows_nothing_but_successes_is_left_as_it_is_by_one_more() {
        let known = |known| Window { results: 0, known };
        assert_eq!(slide(known(7), 8, 0), known(8));
        assert_eq!(slide(known(8), 8, 0), known(8));
    }

    #[test]
    fn a_lease_is_over_at_the_moment_it_ends() {
        let admit = |now_ms| {
            let full = half_open(2, 0, 10_240);
            step(&policy(), full, Event::Admit, now_ms).1
        };
        assert!(matches!(
            admit(10_239),
            Effect::Refused(Refused {
                retry_after_ms: 1,
                ..
            })
        ));
        assert_eq!(admit(10_240), Effect::Probe { first: false });
    }

    #[test]
    fn a_window_slides_so_that_a_long_good_past_does_not_hide_a_dead_backend() {
        let rule = Rule::LastN {
            window: 20,
            failures: 10,
            minimum: 10,
        };
        let policy = Policy::builder().rule(rule).build().unwrap();
        let settle = |word, verdict| step(&policy, word, settle(verdict, None), 0);
        let failures_to_open = |mut word: Word| {
            (1..100).find(|_| {
                let (next, effect) = settle(word, Verdict::Failure);
                word = next;
                matches!(effect, Effect::Settled(Settled::Opened { .. }))
            })
        };
        let mut word = Word::default();
        assert_eq!(failures_to_open(word), Some(10));
        for _ in 0..1_000_000 {
            word = settle(word, Verdict::Success).0;
        }
        assert_eq!(failures_to_open(word), Some(10));
    }

    #[test]
    fn a_failure_rate_is_not_judged_before_the_minimum_is_known() {
        let rule = Rule::LastN {
            window: 8,
            failures: 2,
            minimum: 4,
        };
        let policy = Policy::builder().rule(rule).build().unwrap();
        let failure = settle(Verdict::Failure, None);
        let mut word = Word::default();
        let mut opened = Vec::new();
        for _ in 0..4 {
            let (next, effect) = step(&policy, word, failure, 0);
            word = next;
            opened.push(matches!(effect, Effect::Settled(Settled::Opened { .. })));
        }
        assert_eq!(opened, [false, false, false, true]);
    }

    fn of_the_window(verdict: Verdict, calls: u64, failed: u64, slow: u64) -> Event {
        let recent = Recent {
            calls,
            failed,
            slow,
        };
        let ended = Ended {
            verdict,
            recent,
            not_before_ms: 0,
        };
        let generation = None;
        Event::Settle { ended, generation }
    }

    #[test]
    fn failures_open_it_when_they_are_the_given_part_of_enough_calls() {
        let rate = Rate {
            percent: 50,
            minimum: 10,
        };
        let policy = Policy::builder().rule(Rule::Rate(rate)).build().unwrap();
        let failure = |calls, failed| {
            let event = of_the_window(Verdict::Failure, calls, failed, 0);
            step(&policy, Word::default(), event, 0)
        };
        for (calls, failed, threshold) in [(9, 9, 5), (10, 4, 5), (11, 5, 6)] {
            let counted = Effect::Settled(Settled::Counted {
                failures: u32::try_from(failed).unwrap(),
                threshold,
            });
            assert_eq!(failure(calls, failed), (Word::default(), counted));
        }
        assert_eq!(failure(10, 5).0.phase(), Phase::Open);
        assert_eq!(failure(11, 6).0.phase(), Phase::Open);
    }

    #[test]
    fn slow_calls_open_it_when_they_are_the_given_part_whatever_the_rule_says_of_failures() {
        let rate = Rate {
            percent: 50,
            minimum: 4,
        };
        let policy = Policy::builder().slow_rate(Some(rate)).build().unwrap();
        let one_failure = Word::default().with_row(1);
        let slow = |word, calls, slow| {
            let event = of_the_window(Verdict::Slow, calls, 0, slow);
            step(&policy, word, event, 0)
        };
        let quiet = Effect::Settled(Settled::Quiet);
        assert_eq!(slow(one_failure, 3, 3), (Word::default(), quiet));
        assert_eq!(slow(Word::default(), 5, 2), (Word::default(), quiet));
        let (word, effect) = slow(one_failure, 4, 2);
        assert_eq!(word.phase(), Phase::Open);
        assert!(matches!(
            effect,
            Effect::Settled(Settled::Opened { failures: 2, .. })
        ));
        let forced = Word::default().next(Phase::ForcedClosed, 0);
        assert_eq!(slow(forced, 4, 4), (forced, quiet));
    }

    #[test]
    fn it_stays_open_until_the_backend_wants_to_be_called_again_if_that_is_later_than_the_back_off()
    {
        let failure = |not_before_ms| {
            let ended = Ended {
                verdict: Verdict::Failure,
                recent: Recent::default(),
                not_before_ms,
            };
            let generation = None;
            Event::Settle { ended, generation }
        };
        let due_ms = |word, not_before_ms| {
            let (word, _) = step(&policy(), word, failure(not_before_ms), NOW_MS);
            (word.phase(), word.due_ms() - NOW_MS)
        };
        let last = Word::default().with_row(2);
        assert_eq!(due_ms(last, 0), (Phase::Open, 30_000));
        assert_eq!(due_ms(last, NOW_MS + 29_999), (Phase::Open, 30_000));
        assert_eq!(due_ms(last, NOW_MS + 70_000), (Phase::Open, 70_000));
        let probing = half_open(1, 0, NOW_MS + 1_000);
        assert_eq!(due_ms(probing, NOW_MS + 90_000), (Phase::Open, 90_000));
        let (word, _) = step(&policy(), last, failure(u64::MAX), NOW_MS);
        assert_eq!(word.due_ms(), LAST_MS);
    }
}
