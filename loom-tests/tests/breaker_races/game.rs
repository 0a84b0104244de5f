//! The situations of a breaker, and the moves that threads make from there.

use loom_tests::lockfree::{
    Breaker, Mode, Permit, Policy, Refused, Rule, Settled, Transition, Verdict, View,
};
use loom_tests::races::{Game, Script};

const RESET_MS: u64 = 1_000;
const LEASE_MS: u64 = 512;
/// The lease ends at 1,536 ms: 1,512 rounded up to 256.
const OVER_MS: u64 = 1_536;
/// Probes at a time, successes that close, failures that open: two of each.
pub(crate) const TWO: u32 = 2;

/// One call of the breaker or of a permit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Move {
    Admit,
    /// The permit that was admitted in this situation, or just before by the same thread.
    Settle(Verdict),
    /// The same permit, let go.
    Drop,
    /// A permit from before the last change of state.
    Late(Verdict),
    /// A result without a permit.
    Record(Verdict),
    Force(Mode),
    Reset,
}

pub(crate) const MOVES: [Move; 12] = [
    Move::Admit,
    Move::Settle(Verdict::Success),
    Move::Settle(Verdict::Failure),
    Move::Settle(Verdict::Slow),
    Move::Drop,
    Move::Late(Verdict::Success),
    Move::Late(Verdict::Failure),
    Move::Record(Verdict::Success),
    Move::Record(Verdict::Failure),
    Move::Force(Mode::ForcedOpen),
    Move::Force(Mode::Automatic),
    Move::Reset,
];

impl Move {
    pub(crate) const SETTLING: [Self; 4] = [MOVES[1], MOVES[2], MOVES[3], MOVES[4]];
}

/// Where the threads begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Situation {
    Closed,
    OneShort,
    Window,
    Due,
    HalfOpen,
    LastProbe,
    LeaseOver,
    ForcedOpen,
    ForcedClosed,
    Disabled,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Told {
    Admitted { entered_half_open: bool },
    Refused(Refused),
    Settled(Settled),
    Changed(Option<Transition>),
    Nothing,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) begin: View,
    /// All threads rest; permits that were not settled are still held.
    pub(crate) rest: View,
    /// No permit is held any more.
    pub(crate) released: View,
    /// Probes that will never report.
    pub(crate) lost: u32,
}

pub(crate) struct Hand {
    breaker: &'static Breaker,
    now_ms: u64,
    begin: View,
    lost: u32,
    permit: Option<Permit<'static>>,
    late: Option<Permit<'static>>,
}

impl Situation {
    /// Whether each thread has what its first move needs.
    pub(crate) fn can_race(self, scripts: &[Script<Self>]) -> bool {
        let held = scripts.iter().filter(|script| needs_permit(script)).count();
        let late = scripts.iter().any(|script| needs_late_permit(script));
        let (permits, changed) = match self {
            Self::Closed | Self::OneShort | Self::Window => (3, false),
            Self::HalfOpen | Self::LastProbe | Self::LeaseOver => (TWO as usize, true),
            Self::Due | Self::ForcedOpen => (0, true),
            Self::ForcedClosed | Self::Disabled => (3, true),
        };
        held <= permits && (changed || !late)
    }

    const fn now_ms(self) -> u64 {
        match self {
            Self::Due | Self::HalfOpen | Self::LastProbe => RESET_MS,
            Self::LeaseOver => OVER_MS,
            _ => 0,
        }
    }

    /// Leaked, so that threads can hold its permits.
    fn breaker(self) -> &'static Breaker {
        let rule = match self {
            Self::Window => Rule::LastN {
                window: 3,
                failures: TWO,
                minimum: TWO,
            },
            _ => Rule::Consecutive(TWO),
        };
        let policy = Policy::builder()
            .rule(rule)
            .half_open_max_calls(TWO)
            .success_threshold(TWO)
            .reset_timeout_ms(RESET_MS)
            .lease_ms(LEASE_MS)
            .jitter_percent(0);
        Box::leak(Box::new(Breaker::new(policy.build().unwrap_or_default())))
    }

    fn arrange(self, breaker: &Breaker) {
        let mode = match self {
            Self::ForcedOpen => Mode::ForcedOpen,
            Self::ForcedClosed => Mode::ForcedClosed,
            Self::Disabled => Mode::Disabled,
            _ => Mode::Automatic,
        };
        let failures = match self {
            Self::OneShort | Self::Window => 1,
            Self::Due | Self::HalfOpen | Self::LastProbe | Self::LeaseOver => TWO,
            _ => 0,
        };
        for _ in 0..failures {
            let _ = breaker.record(Verdict::Failure, 0);
        }
        breaker.force(mode, 0);
        match self {
            Self::HalfOpen => drop(breaker.admit(RESET_MS)),
            Self::LastProbe => {
                let _ = breaker.admit(RESET_MS).map(|probe| probe.success(RESET_MS));
            }
            _ => {}
        }
    }

    /// Takes every probe that is still free, for calls that never report.
    fn lose_probes(self, breaker: &Breaker) -> u32 {
        let mut lost = 0;
        while self == Self::LeaseOver
            && let Ok(probe) = breaker.admit(RESET_MS)
        {
            probe.detach();
            lost += 1;
        }
        lost
    }
}

impl Game for Situation {
    type Hand = Hand;
    type Move = Move;
    type Told = Told;
    type End = End;

    fn deal(&self, scripts: &[Script<Self>]) -> Vec<Hand> {
        let (breaker, now_ms) = (self.breaker(), self.now_ms());
        let admitted = |needed: bool| needed.then(|| breaker.admit(now_ms.min(RESET_MS)).ok());
        let late = scripts
            .iter()
            .map(|script| admitted(needs_late_permit(script)).flatten());
        let late: Vec<_> = late.collect();
        self.arrange(breaker);
        let held = scripts
            .iter()
            .map(|script| admitted(needs_permit(script)).flatten());
        let held: Vec<_> = held.collect();
        let lost = self.lose_probes(breaker);
        let begin = breaker.view(now_ms);
        let permits = late.into_iter().zip(held);
        permits
            .map(|(late, permit)| Hand {
                breaker,
                now_ms,
                begin,
                lost,
                permit,
                late,
            })
            .collect()
    }

    fn play(hand: &mut Hand, step: Move) -> Told {
        let (breaker, now_ms) = (hand.breaker, hand.now_ms);
        match step {
            Move::Admit => match breaker.admit(now_ms) {
                Ok(permit) => {
                    let entered_half_open = permit.entered_half_open();
                    hand.permit = Some(permit);
                    Told::Admitted { entered_half_open }
                }
                Err(refused) => Told::Refused(refused),
            },
            Move::Settle(verdict) => settled(hand.permit.take(), verdict, now_ms),
            Move::Late(verdict) => settled(hand.late.take(), verdict, now_ms),
            Move::Drop => {
                hand.permit = None;
                Told::Nothing
            }
            Move::Record(verdict) => Told::Settled(breaker.record(verdict, now_ms)),
            Move::Force(mode) => Told::Changed(breaker.force(mode, now_ms)),
            Move::Reset => Told::Changed(breaker.reset(now_ms)),
        }
    }

    fn end(&self, hands: Vec<Hand>) -> End {
        let (breaker, begin, lost) = (hands[0].breaker, hands[0].begin, hands[0].lost);
        let rest = breaker.view(self.now_ms());
        drop(hands);
        let released = breaker.view(self.now_ms());
        End {
            begin,
            rest,
            released,
            lost,
        }
    }
}

fn needs_permit(script: &[Move]) -> bool {
    matches!(script[0], Move::Settle(_) | Move::Drop)
}

fn needs_late_permit(script: &[Move]) -> bool {
    matches!(script[0], Move::Late(_))
}

fn settled(permit: Option<Permit<'static>>, verdict: Verdict, now_ms: u64) -> Told {
    match (permit, verdict) {
        // Its call was refused.
        (None, _) => Told::Nothing,
        (Some(permit), Verdict::Success) => Told::Settled(permit.success(now_ms)),
        (Some(permit), Verdict::Slow) => Told::Settled(permit.slow(now_ms)),
        (Some(permit), Verdict::Failure) => Told::Settled(permit.failure(now_ms)),
    }
}
