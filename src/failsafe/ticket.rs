//! Leave for one call, and what its end does to breaker, health, tool and flight recorder.

use std::{fmt, time::Duration};

use crate::{
    failsafe::{
        circuit_breaker::{Blame, CauseKind, CircuitBreaker, CircuitState, Facts},
        facade::{Asker, Failsafe},
        outcome::{Outcome, Verdict},
        tools::ToolCircuit,
    },
    lockfree::{self, FlightEntry, Permit, Settled},
    telemetry::{RequestId, Stamp},
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
        let (failsafe, request_id) = (self.failsafe, self.asker.request_id);
        let (latency_ns, now_ms) = (now.nanos_since(self.sent), now.millis());
        let is_good = matches!(outcome.verdict(), Verdict::Success);
        if is_good && latency_ns < failsafe.slow_after_ns {
            self.succeed(latency_ns, now_ms);
        } else {
            self.settle_badly((outcome, cause), latency_ns, now_ms);
        }
        failsafe.flight.record(&FlightEntry {
            at_ms: now_ms,
            latency_us: latency_ns / 1_000,
            tag: outcome.tag(),
            id: request_id.map_or(0, RequestId::to_bits),
        });
    }

    /// The permits first: they then live in registers, where nothing that could unwind comes between.
    #[inline]
    fn succeed(self, latency_ns: u64, now_ms: u64) {
        let Self {
            failsafe, asker, ..
        } = self;
        let facts = facts(asker, latency_ns);
        failsafe
            .circuit_breaker
            .succeeded(self.permit, facts, now_ms);
        if let (Some(permit), Some(tool)) = (self.tool_permit, asker.tool)
            && let Some(breaker) = tool.breaker()
        {
            breaker.succeeded(permit, facts, now_ms);
        }
        failsafe.health_tracker.success(latency_ns / 1_000, now_ms);
    }

    /// Everything but a success in time. A failure that ends after the circuit has recovered is counted and timed, and
    /// changes nothing else. What opens the whole is not charged to the tool as well: it may have had no part in it.
    #[cold]
    fn settle_badly(
        self,
        (outcome, cause): (Outcome, &dyn fmt::Display),
        latency_ns: u64,
        now_ms: u64,
    ) {
        let Self { failsafe, .. } = self;
        let Failsafe {
            circuit_breaker,
            health_tracker,
            ..
        } = failsafe;
        let charge = Charge {
            failsafe,
            tool: self.asker.tool,
            outcome,
            blame: Blame {
                facts: facts(self.asker, latency_ns),
                retry_after: self.retry_after,
                ..Blame::new(CauseKind::Call(outcome), cause)
            },
            now_ms,
        };
        let facts = charge.blame.facts;
        match outcome.verdict() {
            Verdict::Success => {
                let settled = circuit_breaker.was_slow(self.permit, facts, now_ms);
                health_tracker.success(latency_ns / 1_000, now_ms);
                charge.slow_tool(self.tool_permit, settled);
            }
            Verdict::Failure => {
                let settled = circuit_breaker.failed(self.permit, &charge.blame, now_ms);
                let is_over =
                    settled == Settled::Stale && circuit_breaker.state() == CircuitState::Closed;
                health_tracker.failure(latency_ns / 1_000, now_ms, is_over);
                charge.fail_tool(self.tool_permit, settled);
            }
            Verdict::Neither => charge.fail_tool(self.tool_permit, Settled::Quiet),
        }
    }
}

fn facts(asker: Asker<'_>, latency_ns: u64) -> Facts {
    Facts {
        latency: Some(Duration::from_nanos(latency_ns)),
        request_id: asker.request_id,
    }
}

const fn is_opening(settled: Settled) -> bool {
    matches!(settled, Settled::Opened { .. })
}

/// What is told to the tool's circuit, which is made if this is the first bad news of it.
struct Charge<'a> {
    failsafe: &'a Failsafe,
    tool: Option<&'a ToolCircuit>,
    outcome: Outcome,
    blame: Blame<'a>,
    now_ms: u64,
}

impl Charge<'_> {
    /// The call failed, and the backend's circuit has `settled` it so.
    fn fail_tool(&self, permit: Option<Permit<'_>>, settled: Settled) {
        if self.outcome.for_tool() != Verdict::Failure || is_opening(settled) {
            return;
        }
        let Some(breaker) = self.breaker() else {
            return;
        };
        match permit {
            Some(permit) => {
                let _ = breaker.failed(permit, &self.blame, self.now_ms);
            }
            None => breaker.charge(lockfree::Verdict::Failure, &self.blame, self.now_ms),
        }
    }

    /// The call was slow, and the backend's circuit has `settled` it so.
    fn slow_tool(&self, permit: Option<Permit<'_>>, settled: Settled) {
        let Some(breaker) = self.breaker().filter(|_| !is_opening(settled)) else {
            return;
        };
        match permit {
            Some(permit) => {
                let _ = breaker.was_slow(permit, self.blame.facts, self.now_ms);
            }
            None => breaker.charge_slow(self.blame.facts, self.now_ms),
        }
    }

    fn breaker(&self) -> Option<&CircuitBreaker> {
        self.tool.and_then(|tool| self.failsafe.tools.breaker(tool))
    }
}
