//! The last calls that failed or were slow, of all backends, out of their flight recorders.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde::Serialize;

use super::{look::Look, track::Track};
use crate::{
    failsafe::{Outcome, Verdict},
    lockfree::FlightEntry,
    telemetry::{Clock, RequestId, clock::milliseconds},
};

/// Calls that are kept.
const KEPT: usize = 100;
/// Of one backend, as many of either kind are taken at one look.
const MOST_FAILED: usize = 8;
const MOST_SLOW: usize = 3;

/// A call is slow that took so many times the median of the last minute, and at least so long.
const SLOW_FACTOR: u64 = 10;
const SLOW_AT_LEAST_US: u64 = 50_000;

/// The flight recorder and the trace of a call look at the clock one after the other.
const SAME_CALL_US: u64 = 500;
const SAME_CALL_MS: u64 = 2;

/// The last of them, oldest first.
#[derive(Default)]
pub(super) struct Calls(VecDeque<Kept>);

#[derive(Clone)]
pub(super) struct Kept {
    pub(super) backend: Arc<str>,
    pub(super) json: Arc<str>,
    entry: FlightEntry,
}

#[derive(Serialize)]
struct Told<'a> {
    backend: &'a str,
    at: u64,
    outcome: &'static str,
    ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Box<str>>,
}

impl Calls {
    /// Takes what a backend has to show since the look before, and gives it.
    pub(super) fn look(&mut self, track: &Track, look: Look, clock: &Clock) -> Vec<Kept> {
        let failsafe = track.member().backend().failsafe();
        let mut calls = failsafe.calls_since(look.before_ms);
        calls.retain(|(_, entry)| !self.knows(entry));
        let slow_us = track
            .usual_us()
            .map(|median| (median * SLOW_FACTOR).max(SLOW_AT_LEAST_US));
        let is_slow = |(outcome, entry): &&(Outcome, FlightEntry)| {
            *outcome == Outcome::Success && slow_us.is_some_and(|slow| entry.latency_us >= slow)
        };
        let failed = calls.iter().filter(|(outcome, _)| has_failed(*outcome));
        let slow = calls.iter().filter(is_slow);
        let chosen = failed.rev().take(MOST_FAILED);
        let mut chosen: Vec<_> = chosen.chain(slow.rev().take(MOST_SLOW)).collect();
        chosen.sort_by_key(|(_, entry)| entry.at_ms);
        let kept: Vec<Kept> = chosen
            .into_iter()
            .map(|call| kept(track, *call, clock))
            .collect();
        self.0.extend(kept.iter().cloned());
        while self.0.len() > KEPT {
            self.0.pop_front();
        }
        kept
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Kept> {
        self.0.iter()
    }

    /// A look begins at the millisecond at which the last one ended.
    fn knows(&self, entry: &FlightEntry) -> bool {
        self.0.iter().any(|kept| kept.entry == *entry)
    }
}

fn has_failed(outcome: Outcome) -> bool {
    outcome == Outcome::ToolFailure || outcome.verdict() == Verdict::Failure
}

fn kept(track: &Track, (outcome, entry): (Outcome, FlightEntry), clock: &Clock) -> Kept {
    let breaker = &track.member().backend().failsafe().circuit_breaker;
    let request_id = (entry.id != 0).then(|| RequestId::of_bits(entry.id));
    let message = request_id.filter(|_| has_failed(outcome)).and_then(|id| {
        let causes = breaker.failures();
        let cause = causes.iter().rev().find(|it| it.request_id == Some(id));
        cause.map(|cause| cause.text.clone())
    });
    let told = Told {
        backend: track.member().name(),
        at: clock.epoch_ms(entry.at_ms),
        outcome: outcome.label(),
        ms: milliseconds(Duration::from_micros(entry.latency_us)),
        request_id: request_id.map(|id| id.to_string()),
        trace_id: trace_of(track, &entry),
        message,
    };
    Kept {
        backend: told.backend.into(),
        json: serde_json::to_string(&told).unwrap_or_default().into(),
        entry,
    }
}

/// The trace of a call, where it was recorded and no other has taken its place: the exemplar that ended with it and took as
/// long.
fn trace_of(track: &Track, entry: &FlightEntry) -> Option<String> {
    let (took, apart) = (entry.latency_us, SAME_CALL_US);
    let exemplars = track.member().backend().exemplars();
    let exemplar = exemplars.newest(took.saturating_sub(apart), took + apart)?;
    let is_same = exemplar.at_ms.abs_diff(entry.at_ms) <= SAME_CALL_MS;
    is_same.then(|| format!("{:032x}", exemplar.trace))
}
