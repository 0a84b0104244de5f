//! Leave for one call, and what its end does to breaker, health, tool and flight recorder.

use std::{fmt, time::Duration};

use crate::{
    failsafe::{
        circuit_breaker::{Blame, CauseKind, CircuitBreaker, CircuitState, Facts, Permit},
        facade::{Asker, Failsafe},
        outcome::{Outcome, Verdict},
        tools::ToolCircuit,
    },
    lockfree::{self, FlightEntry, Settled},
    telemetry::{RequestId, Stamp, clock::micros},
};

/// Leave for one call, with the moment from which its latency counts. Settle it; a ticket that is dropped counts neither way.
#[derive(Debug)]
#[must_use = "a ticket that is dropped counts as abandoned"]
pub struct Ticket<'a> {
    failsafe: &'a Failsafe,
    permit: Permit<'a>,
    /// Leave of the tool's own circuit, if it has one.
    tool_permit: Option<Permit<'a>>,
    asker: Asker<'a>,
    sent: Stamp,
    retry_after: Duration,
}

impl<'a> Ticket<'a> {
    #[inline]
    pub(super) fn new(
        failsafe: &'a Failsafe,
        asker: Asker<'a>,
        (permit, tool_permit): (Permit<'a>, Option<Permit<'a>>),
        sent: Stamp,
    ) -> Self {
        Self {
            failsafe,
            permit,
            tool_permit,
            asker,
            sent,
            retry_after: Duration::ZERO,
        }
    }

    /// Whether this call is one of the few that decide if the circuit closes.
    #[must_use]
    pub const fn is_probe(&self) -> bool {
        self.permit.is_probe()
    }

    /// The backend had to be started first, and the call is sent only `now`: its latency counts from here.
    pub const fn sent_at(&mut self, now: Stamp) {
        self.sent = now;
    }

    /// The backend asked not to be called for so long (`Retry-After`): if this call opens the circuit, no probe is due earlier.
    /// An hour is the most that is granted.
    pub const fn retry_after(&mut self, pause: Duration) {
        self.retry_after = pause;
    }

    /// The call came to `outcome` at `now`; `cause` says why in a sentence (and with `{:#}` in a few words), and is read
    /// only for a failure.
    #[inline]
    pub fn settle(self, outcome: Outcome, cause: &dyn fmt::Display, now: Stamp) {
        let (failsafe, latency) = (self.failsafe, now.since(self.sent));
        let facts = Facts {
            latency: Some(latency),
            request_id: self.asker.request_id,
        };
        match outcome.verdict() {
            Verdict::Success if latency < failsafe.slow_after => {
                // The permits first: they then live in registers, where nothing that could unwind comes between.
                self.permit.succeed(facts, now.millis());
                if let Some(permit) = self.tool_permit {
                    permit.succeed(facts, now.millis());
                }
                failsafe.health_tracker.success(latency, now);
            }
            Verdict::Success => self.succeed_slowly(facts, now),
            Verdict::Failure => self.fail((outcome, cause), facts, now),
            Verdict::Neither => {
                let settling = Settling::of(&self, (outcome, cause), facts, now);
                settling.fail_tool(self.tool_permit);
            }
        }
        failsafe.flight.record(&FlightEntry {
            at_ms: now.millis(),
            latency_us: micros(latency),
            tag: outcome.tag(),
            id: facts.request_id.map_or(0, RequestId::as_u128),
        });
    }

    #[cold]
    fn succeed_slowly(self, facts: Facts, now: Stamp) {
        let latency = facts.latency.unwrap_or_default();
        self.failsafe.health_tracker.success(latency, now);
        let settling = Settling::of(&self, (Outcome::Success, &""), facts, now);
        let settled = self.permit.slow(facts, now.millis());
        if !is_opening(settled) {
            settling.slow_tool(self.tool_permit);
        }
    }

    /// A failure that ends after the circuit has recovered is counted and timed, and changes nothing else.
    /// What opens the whole is not charged to the tool as well: it may have had no part in it.
    #[cold]
    fn fail(self, ended: (Outcome, &dyn fmt::Display), facts: Facts, now: Stamp) {
        let Failsafe {
            circuit_breaker,
            health_tracker,
            ..
        } = self.failsafe;
        let settling = Settling::of(&self, ended, facts, now);
        let latency = facts.latency.unwrap_or_default();
        let settled = self.permit.fail(&settling.blame, now.millis());
        if settled == Settled::Stale && circuit_breaker.state() == CircuitState::Closed {
            health_tracker.late_failure(latency, now);
        } else {
            health_tracker.failure(latency, now);
        }
        if !is_opening(settled) {
            settling.fail_tool(self.tool_permit);
        }
    }
}

fn is_opening(settled: Settled) -> bool {
    matches!(settled, Settled::Opened { .. })
}

/// What is told to the tool's circuit, which is made if this is the first bad news of it.
struct Settling<'a> {
    failsafe: &'a Failsafe,
    tool: Option<&'a ToolCircuit>,
    outcome: Outcome,
    blame: Blame<'a>,
    now_ms: u64,
}

impl<'a> Settling<'a> {
    fn of(
        ticket: &Ticket<'a>,
        (outcome, cause): (Outcome, &'a dyn fmt::Display),
        facts: Facts,
        now: Stamp,
    ) -> Self {
        Self {
            failsafe: ticket.failsafe,
            tool: ticket.asker.tool,
            outcome,
            blame: Blame {
                facts,
                retry_after: ticket.retry_after,
                ..Blame::new(CauseKind::Call(outcome), cause)
            },
            now_ms: now.millis(),
        }
    }

    fn fail_tool(&self, permit: Option<Permit<'_>>) {
        if self.outcome.for_tool() != Verdict::Failure {
            return;
        }
        if let Some(permit) = permit {
            let _ = permit.fail(&self.blame, self.now_ms);
        } else if let Some(breaker) = self.breaker() {
            breaker.charge(lockfree::Verdict::Failure, &self.blame, self.now_ms);
        }
    }

    fn slow_tool(&self, permit: Option<Permit<'_>>) {
        if let Some(permit) = permit {
            let _ = permit.slow(self.blame.facts, self.now_ms);
        } else if let Some(breaker) = self.breaker() {
            breaker.charge_slow(self.blame.facts, self.now_ms);
        }
    }

    fn breaker(&self) -> Option<&'a CircuitBreaker> {
        self.tool.and_then(|tool| self.failsafe.tools.breaker(tool))
    }
}
