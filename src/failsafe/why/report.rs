//! The whole answer to "why": circuits, changes, failures and the last outcomes, as values.

use std::time::Duration;

use serde::Serialize;

use crate::{
    failsafe::{
        Cause, Change, CircuitBreaker, CircuitMode, CircuitState, Failsafe, outcome::Outcome,
    },
    lockfree::FlightEntry,
    telemetry::{Clock, RequestId, clock::milliseconds},
};

/// Entries that are shown of a backend, and of each of its tools.
const ALL: usize = usize::MAX;
const OF_A_TOOL: usize = 8;

/// Why calls to one backend flow or do not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Why {
    /// The backend's name.
    pub backend: Box<str>,
    /// What state its circuit is in, since when, why, and what comes next.
    pub summary: String,
    /// The state of its circuit.
    pub circuit_state: CircuitState,
    /// Who decides on it.
    pub circuit_mode: CircuitMode,
    /// The circuits of those tools that have failed.
    pub tools: Vec<ToolReport>,
    /// The last changes, at most 64, newest first.
    pub changes: Vec<ChangeReport>,
    /// The last failures and slow calls, at most 64, newest first.
    pub failures: Vec<FailureReport>,
    /// What the last calls came to, at most 64, newest first.
    pub outcomes: Vec<OutcomeReport>,
}

/// The circuit of one tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolReport {
    /// The tool's name.
    pub tool: Box<str>,
    /// As [`Why::summary`].
    pub summary: String,
    /// The state of its circuit.
    pub circuit_state: CircuitState,
    /// Its last changes, at most eight, newest first.
    pub changes: Vec<ChangeReport>,
    /// Its last failures and slow calls, at most eight, newest first.
    pub failures: Vec<FailureReport>,
}

/// One change of the backend's circuit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeReport {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The state it went to.
    pub to: CircuitState,
    /// Why, as metrics say it.
    pub cause: &'static str,
    /// The failures that led to it, if any did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// How long the call took that made the change, in milliseconds; none where there was no call.
    pub latency_ms: Option<f64>,
    /// The request that made the change.
    pub request_id: Option<String>,
}

/// One failure or slow call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FailureReport {
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// What it was, as metrics say it.
    pub cause: &'static str,
    /// What happened, as a sentence.
    pub message: Box<str>,
    /// How long the call took, in milliseconds.
    pub latency_ms: Option<f64>,
    /// The request that failed.
    pub request_id: Option<String>,
}

/// What one call came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OutcomeReport {
    /// When it ended, in milliseconds since the Unix epoch.
    pub at_ms: u64,
    /// The outcome, as metrics say it.
    pub outcome: &'static str,
    /// How long the backend took, in milliseconds.
    pub latency_ms: f64,
    /// The request's name; none where it has none.
    pub request_id: Option<String>,
}

impl Failsafe {
    /// Why calls flow or do not, with the last outcomes of all calls.
    #[must_use]
    pub fn why(&self) -> Why {
        let breaker = &self.circuit_breaker;
        let clock = breaker.clock();
        let mut outcomes = self.flight.latest();
        outcomes.reverse();
        Why {
            backend: breaker.backend().into(),
            summary: breaker.summary(),
            circuit_state: breaker.state(),
            circuit_mode: breaker.mode(),
            tools: self
                .tool_circuits()
                .iter()
                .map(|(name, breaker)| tool(name, breaker))
                .collect(),
            changes: newest_first(&breaker.changes(), ALL, |change| of_change(change, clock)),
            failures: newest_first(&breaker.failures(), ALL, |cause| of_failure(cause, clock)),
            outcomes: outcomes
                .iter()
                .filter_map(|entry| of_outcome(entry, clock))
                .collect(),
        }
    }
}

impl Failsafe {
    /// The calls that ended since `since_ms` on the clock, oldest first, of the last 64.
    #[must_use]
    pub fn calls_since(&self, since_ms: u64) -> Vec<(Outcome, FlightEntry)> {
        let latest = self.flight.latest().into_iter();
        let known = latest.filter(|entry| entry.at_ms >= since_ms);
        known
            .filter_map(|entry| Some((Outcome::of_tag(entry.tag)?, entry)))
            .collect()
    }
}

fn newest_first<T, R>(all: &[T], most: usize, report: impl Fn(&T) -> R) -> Vec<R> {
    all.iter().rev().take(most).map(report).collect()
}

fn tool(name: &str, breaker: &CircuitBreaker) -> ToolReport {
    let clock = breaker.clock();
    ToolReport {
        tool: name.into(),
        summary: breaker.summary(),
        circuit_state: breaker.state(),
        changes: newest_first(&breaker.changes(), OF_A_TOOL, |it| of_change(it, clock)),
        failures: newest_first(&breaker.failures(), OF_A_TOOL, |it| of_failure(it, clock)),
    }
}

fn of_change(change: &Change, clock: &Clock) -> ChangeReport {
    ChangeReport {
        at_ms: clock.epoch_ms(change.at_ms),
        to: change.to,
        cause: change.cause.label(),
        after: (change.trail.failures > 0).then(|| change.trail.to_string()),
        latency_ms: change.latency.map(milliseconds),
        request_id: change.request_id.map(|id| id.to_string()),
    }
}

fn of_failure(cause: &Cause, clock: &Clock) -> FailureReport {
    FailureReport {
        at_ms: clock.epoch_ms(cause.at_ms),
        cause: cause.kind.label(),
        message: cause.text.clone(),
        latency_ms: cause.latency.map(milliseconds),
        request_id: cause.request_id.map(|id| id.to_string()),
    }
}

fn of_outcome(entry: &FlightEntry, clock: &Clock) -> Option<OutcomeReport> {
    Some(OutcomeReport {
        at_ms: clock.epoch_ms(entry.at_ms),
        outcome: Outcome::of_tag(entry.tag)?.label(),
        latency_ms: milliseconds(Duration::from_micros(entry.latency_us)),
        request_id: (entry.id != 0).then(|| RequestId::of_bits(entry.id).to_string()),
    })
}
