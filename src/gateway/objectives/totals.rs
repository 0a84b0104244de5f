//! Good and bad calls since the start: what is counted as which.

use std::time::Duration;

use super::settings::LatencyObjective;
use crate::{
    failsafe::{Outcome, Verdict},
    gateway::{catalogue::Entry, member::Member},
    lockfree::Snapshot,
    telemetry::clock::micros,
};

/// Calls that count, and those of them that are bad. Both only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) all: u64,
    pub(super) bad: u64,
}

impl Totals {
    /// What came after `earlier`.
    pub(super) const fn since(self, earlier: Self) -> Self {
        Self {
            all: self.all.saturating_sub(earlier.all),
            bad: self.bad.saturating_sub(earlier.bad),
        }
    }

    /// The share of bad calls; none of no calls.
    pub(super) fn bad_share(self) -> f64 {
        if self.all == 0 {
            return 0.0;
        }
        share(self.bad, self.all)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of calls are far below 2^52"
)]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// Whether a call with this outcome counts for a backend's availability, and how: bad is what its breaker calls a failure, and
/// a call that was refused because of such failures. What the caller, a credential, a limit or an operator did counts neither
/// way, and neither does a tool that failed inside a backend that works.
const fn counts(outcome: Outcome) -> Option<bool> {
    match outcome {
        Outcome::CircuitOpen => Some(true),
        _ => match outcome.verdict() {
            Verdict::Success => Some(false),
            Verdict::Failure => Some(true),
            Verdict::Neither => None,
        },
    }
}

/// The same for the availability of a tool, whose own failures are bad.
pub(in crate::gateway) const fn is_bad_for_tool(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::ToolFailure) || matches!(counts(outcome), Some(true))
}

/// Calls of a backend by whether it answered them.
pub(super) fn availability(member: &Member) -> Totals {
    let mut totals = Totals::default();
    for (outcome, count) in member.outcomes() {
        if let Some(is_bad) = counts(outcome) {
            totals.all += count;
            totals.bad += if is_bad { count } else { 0 };
        }
    }
    totals
}

/// Answers of a backend by whether they came in time.
pub(super) fn latency(member: &Member, objective: &LatencyObjective) -> Totals {
    in_time(
        &member.backend().failsafe().health_tracker.snapshot(),
        objective.threshold,
    )
}

/// Calls of a tool by whether they were answered.
pub(super) fn tool_availability(entry: &Entry) -> Totals {
    let (good, failed) = entry
        .measured()
        .map_or((0, 0), |measured| measured.counts());
    let bad = failed + entry.lost();
    Totals {
        all: good + bad,
        bad,
    }
}

/// Answers of a tool by whether they came in time.
pub(super) fn tool_latency(entry: &Entry, objective: &LatencyObjective) -> Totals {
    entry.measured().map_or_else(Totals::default, |measured| {
        in_time(&measured.snapshot(), objective.threshold)
    })
}

/// As finely as latencies are kept: to 0.8 %.
fn in_time(snapshot: &Snapshot, threshold: Duration) -> Totals {
    let successes = snapshot.successes();
    let good = successes.count_between(0, micros(threshold));
    Totals {
        all: successes.len(),
        bad: successes.len().saturating_sub(good),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lockfree::Recorder;

    #[test]
    fn what_the_backend_did_not_do_counts_neither_way() {
        for (outcome, counted) in [
            (Outcome::Success, Some(false)),
            (Outcome::ToolError, Some(false)),
            (Outcome::Timeout, Some(true)),
            (Outcome::Lost, Some(true)),
            (Outcome::ServerError, Some(true)),
            (Outcome::CircuitOpen, Some(true)),
            (Outcome::ToolFailure, None),
            (Outcome::Throttled, None),
            (Outcome::Denied, None),
            (Outcome::CallerFault, None),
            (Outcome::Cancelled, None),
            (Outcome::RateLimited, None),
            (Outcome::Overloaded, None),
            (Outcome::Stopped, None),
        ] {
            assert_eq!(counts(outcome), counted, "{outcome:?}");
        }
        assert!(is_bad_for_tool(Outcome::ToolFailure) && !is_bad_for_tool(Outcome::Denied));
    }

    #[test]
    fn an_answer_is_in_time_up_to_its_threshold() {
        let recorder = Recorder::new();
        for ms in [1, 100, 499, 510, 9_000] {
            recorder.record_success(ms * 1_000, 0);
        }
        recorder.record_failure(1, 0);
        let totals = in_time(&recorder.snapshot(), Duration::from_millis(500));
        assert_eq!(totals, Totals { all: 5, bad: 2 });
    }
}
