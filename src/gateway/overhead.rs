//! What we add to a request: its time from its head to its answer, without what it waited for.

use std::time::Duration;

use super::{
    facade::Gateway,
    inbound::{Reply, Timing},
    request::Request,
    settings::GatewaySettings,
};
use crate::{
    lockfree::{Counter, Pace, Recorder},
    telemetry::{RequestId, Stamp, clock::micros, clock::milliseconds},
};

/// How often it is said that requests took longer than they may.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// What we added to the requests that were measured.
pub(super) struct Overhead {
    added: Recorder,
    exceeded: Counter,
    told: Counter,
    pace: Pace,
}

/// Whether a request is measured: each where answers say where their time went, else one in sixteen.
pub(super) fn is_measured(settings: &GatewaySettings, request_id: RequestId) -> bool {
    settings.timing.server_timing || request_id.last_byte().is_multiple_of(16)
}

impl Overhead {
    pub(super) fn new() -> Self {
        Self {
            added: Recorder::new(),
            exceeded: Counter::new(),
            told: Counter::new(),
            pace: Pace::new(TELL_AGAIN),
        }
    }

    pub(super) const fn recorder(&self) -> &Recorder {
        &self.added
    }

    /// How many took longer than the budget allows.
    pub(super) fn exceeded(&self) -> u64 {
        self.exceeded.total()
    }

    fn record(&self, added: Duration, budget: Option<Duration>, now: Stamp) {
        self.added.record_success(micros(added), now.millis());
        if let Some(budget) = budget.filter(|budget| added > *budget) {
            self.exceed(added, budget, now);
        }
    }

    #[cold]
    fn exceed(&self, added: Duration, budget: Duration, now: Stamp) {
        let all = self.exceeded.next();
        if !self.pace.turn(now.millis()) {
            return;
        }
        let requests = all.saturating_sub(self.told.total());
        self.told.add(requests);
        let (overhead_ms, budget_ms) = (milliseconds(added), milliseconds(budget));
        tracing::warn!(requests, overhead_ms, budget_ms, "Overhead budget exceeded");
    }
}

impl Gateway {
    /// Measures what we added to a request whose answer is there, if it was at a backend and is one that is measured.
    pub(super) fn measured(&self, request: &Request, mut reply: Reply) -> Reply {
        let spent = &request.spent;
        // What a client was asked in between is nobody's here.
        if !request.timed || spent.backend().is_zero() || !request.asked().is_zero() {
            return reply;
        }
        let now = self.clock.now();
        let added = now.since(request.started).saturating_sub(spent.total());
        let settings = self.table().settings().timing;
        self.overhead.record(added, settings.overhead_budget, now);
        reply.timing = settings.server_timing.then(|| Timing {
            queue: micros(spent.queued()),
            backend: micros(spent.backend()),
            retry: micros(spent.paused()),
            gateway: micros(added),
        });
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_than_the_budget_is_counted_and_said_once_in_a_while() {
        let overhead = Overhead::new();
        let budget = Some(Duration::from_millis(1));
        let at = |seconds: u64| Stamp::from_nanos(seconds * 1_000_000_000);
        let lines = crate::telemetry::transcript::transcript(|| {
            overhead.record(Duration::from_millis(1), budget, at(1));
            overhead.record(Duration::from_millis(9), None, at(1));
            assert_eq!(overhead.exceeded(), 0);
            for second in 1..=11 {
                overhead.record(Duration::from_millis(2), budget, at(second));
            }
        });
        assert_eq!(overhead.exceeded(), 11);
        assert_eq!(overhead.recorder().snapshot().successes().len(), 13);
        assert_eq!(
            lines,
            [
                "WARN Overhead budget exceeded | requests=1 overhead_ms=2.0 budget_ms=1.0",
                "WARN Overhead budget exceeded | requests=10 overhead_ms=2.0 budget_ms=1.0",
            ]
        );
    }
}
