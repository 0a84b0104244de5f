//! Tells somebody outside what has changed, by a POST of one JSON object: in order, one at a time, and never waited for.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::report::{Burn, ObjectiveReport};
use crate::{
    failsafe::{Change, CircuitState},
    lockfree::Counter,
    telemetry::trace::Post,
};

/// Alarms that may wait; further ones are dropped, and that is counted and said.
const MOST_WAITING: usize = 64;

/// What is told.
#[derive(Debug, Serialize)]
pub(super) struct Alarm<'a> {
    event: &'static str,
    /// In milliseconds since the Unix epoch.
    at_ms: u64,
    backend: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    tool: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failures: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slo: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objective: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_budget_remaining: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    burn_rates: &'a [Burn],
}

impl<'a> Alarm<'a> {
    /// A breaker has opened or closed; nobody is told of a probe.
    pub(super) fn circuit(
        backend: &'a str,
        tool: &'a str,
        change: &Change,
        at_ms: u64,
    ) -> Option<Self> {
        let event = match change.to {
            CircuitState::Open => "circuit_opened",
            CircuitState::Closed => "circuit_closed",
            CircuitState::HalfOpen => return None,
        };
        let failed = change.trail.failures > 0;
        Some(Self {
            cause: Some(change.cause.label()),
            failures: failed.then(|| change.trail.to_string()),
            ..Self::new(event, at_ms, (backend, tool))
        })
    }

    /// The room for errors burns too fast, or does so no longer.
    pub(super) fn burn(report: &'a ObjectiveReport, at_ms: u64) -> Self {
        let event = if report.burning {
            "burn_started"
        } else {
            "burn_ended"
        };
        Self {
            slo: Some(report.slo),
            objective: Some(report.objective),
            error_budget_remaining: Some(report.error_budget_remaining),
            burn_rates: &report.burn_rates,
            ..Self::new(event, at_ms, (&report.backend, &report.tool))
        }
    }

    fn new(event: &'static str, at_ms: u64, (backend, tool): (&'a str, &'a str)) -> Self {
        Self {
            event,
            at_ms,
            backend,
            tool,
            cause: None,
            failures: None,
            slo: None,
            objective: None,
            error_budget_remaining: None,
            burn_rates: &[],
        }
    }
}

/// The way to whoever is told.
pub(in crate::gateway) struct Alarms {
    post: Arc<dyn Post>,
    waiting: Sender<Bytes>,
    /// Taken by the task that posts.
    taken: Mutex<Option<Receiver<Bytes>>>,
    counts: Arc<Counts>,
}

/// What became of alarms.
#[derive(Debug, Default)]
struct Counts {
    sent: Counter,
    failed: Counter,
    dropped: Counter,
}

impl Alarms {
    pub(in crate::gateway) fn new(post: Arc<dyn Post>) -> Self {
        let (waiting, taken) = mpsc::channel(MOST_WAITING);
        Self {
            post,
            waiting,
            taken: Mutex::new(Some(taken)),
            counts: Arc::default(),
        }
    }

    /// Puts an alarm behind those that wait.
    pub(super) fn put(&self, alarm: &Alarm<'_>) {
        let body = serde_json::to_vec(alarm).unwrap_or_default();
        if self.waiting.try_send(body.into()).is_err() {
            let dropped = self.counts.dropped.next();
            tracing::warn!(
                dropped,
                "An alarm was dropped: too many wait for the webhook"
            );
        }
    }

    /// Posts what is put, one after another, until the task is aborted.
    pub(in crate::gateway) fn run(&self) -> impl Future<Output = ()> + Send + use<> {
        let (post, counts) = (Arc::clone(&self.post), Arc::clone(&self.counts));
        let taken = self
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        async move {
            let Some(mut taken) = taken else { return };
            let mut fails = false;
            while let Some(body) = taken.recv().await {
                let failed = match post.post(body).await {
                    Ok((200..=299, _)) => None,
                    Ok((status, _)) => Some(format!("HTTP status {status}").into()),
                    Err(error) => Some(error),
                };
                match &failed {
                    None => counts.sent.add(1),
                    Some(_) => counts.failed.add(1),
                }
                if let Some(error) = failed.as_ref().filter(|_| !fails) {
                    tracing::warn!(%error, "The webhook does not take alarms; requests are not touched by it");
                } else if failed.is_none() && fails {
                    tracing::info!("The webhook takes alarms again");
                }
                fails = failed.is_some();
            }
        }
    }

    /// What became of alarms so far: `sent`, `failed`, `dropped`.
    pub(in crate::gateway) fn counts(&self) -> [(&'static str, u64); 3] {
        let Counts {
            sent,
            failed,
            dropped,
        } = &*self.counts;
        [
            ("sent", sent.total()),
            ("failed", failed.total()),
            ("dropped", dropped.total()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::trace::Posted;

    #[derive(Debug)]
    struct Nobody;

    impl Post for Nobody {
        fn post(&self, _: Bytes) -> Posted<'_> {
            Box::pin(std::future::pending())
        }
    }

    #[test]
    fn alarms_that_nobody_takes_are_dropped_and_counted_and_nothing_waits() {
        let alarms = Alarms::new(Arc::new(Nobody));
        for at_ms in 0..100 {
            alarms.put(&Alarm::new("burn_ended", at_ms, ("a", "")));
        }
        assert_eq!(
            alarms.counts(),
            [("sent", 0), ("failed", 0), ("dropped", 36)]
        );
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let alarm = Alarm::new("circuit_opened", 7, ("a", ""));
        assert_eq!(
            serde_json::to_string(&alarm).unwrap(),
            r#"{"event":"circuit_opened","at_ms":7,"backend":"a"}"#
        );
    }
}
