//! What each event does to each word: pure and total, without atomics or a clock.

use crate::lockfree::breaker::answer::{Mode, Refused, Settled, State, Transition, Verdict};
use crate::lockfree::breaker::policy::{Policy, Rule};
use crate::lockfree::breaker::word::{LAST_MS, Phase, Probes, Window, Word};

/// What can happen to a breaker. `generation` is that of the permit, or none for a result that had no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A call asks whether it may go.
    Admit,
    /// A call has ended.
    Settle {
        verdict: Verdict,
        generation: Option<u32>,
    },
    /// A call will never report.
    Abandon { generation: u32 },
    /// An operator decides; automatic means that results decide again.
    Force(Mode),
    /// An operator wants a fresh start.
    Reset,
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
/// ```text
///            failures reach the threshold            an admit finds the probe due
///   Closed ───────────────────────────────▶ Open ──────────────────────────────────▶ HalfOpen ─┐ every slot taken, lease over:
///     ▲                                       ▲                                       │  │  ▲   │ the probes are given up
///     │                                       └──────────── a probe fails ────────────┘  │  └───┘
///     └──────────────────────── successful probes reach the threshold ───────────────────┘
///
///   any phase ── force ──▶ ForcedOpen, ForcedClosed, Disabled ── force automatic, or reset ──▶ Closed
///   Open, HalfOpen ── reset ──▶ Closed
/// ```
/// Each arrow begins a generation. Everything else keeps phase and generation.
pub(super) fn step(policy: &Policy, word: Word, event: Event, now_ms: u64) -> (Word, Effect) {
    let now_ms = now_ms.min(LAST_MS);
    match event {
        Event::Admit => admit(policy, word, now_ms),
        Event::Settle {
            generation: Some(generation),
            ..
        } if generation != word.generation() => (word, Effect::Settled(Settled::Stale)),
        Event::Settle { verdict, .. } => {
            let (word, settled) = settle(policy, word, verdict, now_ms);
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

fn settle(policy: &Policy, word: Word, verdict: Verdict, now_ms: u64) -> (Word, Settled) {
    match (word.phase(), verdict) {
        (Phase::Closed | Phase::ForcedClosed, Verdict::Success) => {
            (count_success(policy, word), Settled::Quiet)
        }
        (Phase::Closed | Phase::ForcedClosed, Verdict::Failure) => {
            count_failure(policy, word, now_ms)
        }
        (Phase::HalfOpen, Verdict::Success) => probe_succeeded(policy, word),
        (Phase::HalfOpen, Verdict::Failure) => open(policy, word, 1, now_ms),
        (Phase::Disabled, _) => (word, Settled::Quiet),
        (Phase::Open | Phase::ForcedOpen, _) => (word, Settled::Stale),
    }
}

fn count_success(policy: &Policy, word: Word) -> Word {
    match policy.rule {
        Rule::Consecutive(_) => word.with_row(0),
        Rule::LastN { window, .. } => word.with_window(slide(word.window(), window, 0)),
    }
}

fn count_failure(policy: &Policy, word: Word, now_ms: u64) -> (Word, Settled) {
    let (counted, failures, enough_known) = match policy.rule {
        Rule::Consecutive(_) => {
            let row = word.row().saturating_add(1);
            (word.with_row(row), row, true)
        }
        Rule::LastN {
            window, minimum, ..
        } => {
            let slid = slide(word.window(), window, 1);
            let failures = slid.results.count_ones();
            (word.with_window(slid), failures, slid.known >= minimum)
        }
    };
    let threshold = policy.failure_threshold();
    if word.phase() == Phase::Closed && enough_known && failures >= threshold {
        return open(policy, word, failures, now_ms);
    }
    (
        counted,
        Settled::Counted {
            failures,
            threshold,
        },
    )
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

fn open(policy: &Policy, word: Word, failures: u32, now_ms: u64) -> (Word, Settled) {
    let opened = word.next(Phase::Open, word.opens_in_a_row() + 1);
    let retry_in_ms = policy.open_for_ms(word.opens_in_a_row(), opened.generation());
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
        Phase::Closed if word.payload() == 0 => (word, Effect::Nothing),
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
