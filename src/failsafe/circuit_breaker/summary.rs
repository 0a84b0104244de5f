//! One sentence about a breaker: what state it is in, since when, why, and what comes next.

use std::{sync::Arc, time::Duration};

use crate::{
    failsafe::circuit_breaker::{
        breaker::CircuitBreaker,
        changes::{Change, Trail},
        config::CircuitMode,
        state::CircuitState,
    },
    lockfree::View,
    telemetry::{Clock, clock::time_of_day},
};

impl CircuitBreaker {
    /// What state it is in, since when, why, and what comes next, as in `opened 12:03:10 UTC after 5 failures in 1.2s:
    /// connection refused (4), deadline 30s (1); next probe in 8s`.
    #[must_use]
    pub fn summary(&self) -> String {
        let story = Story {
            breaker: self,
            clock: self.clock(),
            changes: self.changes(),
            view: self.view(),
        };
        let told = match story.view.state.into() {
            CircuitState::Closed => story.closed(),
            CircuitState::Open => story.open(),
            CircuitState::HalfOpen => story.half_open(),
        };
        match self.shown(story.view.mode) {
            CircuitMode::Automatic => told,
            CircuitMode::Shadow => format!("{told} (in shadow mode: calls go all the same)"),
            CircuitMode::ForcedOpen => format!("every call is refused by an operator; {told}"),
            CircuitMode::ForcedClosed => format!("every call goes by an operator; {told}"),
            CircuitMode::Disabled => format!("disabled, every call goes; {told}"),
        }
    }
}

/// What the sentences are made from: the changes of a breaker and one look at its word.
struct Story<'a> {
    breaker: &'a CircuitBreaker,
    clock: &'a Clock,
    changes: Arc<Vec<Arc<Change>>>,
    view: View,
}

impl Story<'_> {
    fn closed(&self) -> String {
        let since = self.last(CircuitState::Closed).map_or_else(
            || "closed since the start".to_owned(),
            |change| format!("closed since {}", self.time(change)),
        );
        match self.view.failures {
            0 => format!("{since}, with no failure on record"),
            failures => {
                let causes = self.breaker.failures();
                let older = causes.len().saturating_sub(failures as usize);
                let trail = Trail::of(failures, &causes[older..]);
                format!("{since}; on record {trail}")
            }
        }
    }

    fn open(&self) -> String {
        let next = match self.view.retry_after_ms {
            None => "it stays so until the operator says otherwise".to_owned(),
            Some(0) => "a probe is due: the next call is let through".to_owned(),
            Some(ms) => format!("next probe in {}", coarse(Duration::from_millis(ms))),
        };
        format!("{}; {next}", self.opened())
    }

    fn half_open(&self) -> String {
        let View {
            probes_in_flight,
            probe_successes,
            ..
        } = self.view;
        let since = self
            .last(CircuitState::HalfOpen)
            .map_or_else(String::new, |change| {
                format!(" since {}", self.time(change))
            });
        format!(
            "half-open{since}, {probes_in_flight} probes in flight and {probe_successes} succeeded; {}",
            self.opened()
        )
    }

    /// How this outage began, and how its last probe failed.
    fn opened(&self) -> String {
        let closed = |change: &&Arc<Change>| change.to != CircuitState::Closed;
        let outage: Vec<_> = self.changes.iter().rev().take_while(closed).collect();
        let mut openings = outage
            .iter()
            .filter(|change| change.to == CircuitState::Open);
        let last = openings.next();
        let Some(first) = openings.next_back().or(last) else {
            return "open".to_owned();
        };
        let mut told = format!("opened {}", self.time(first));
        if first.trail.failures > 0 {
            told += &format!(" after {}", first.trail);
        }
        match last {
            Some(last) if last.at_ms != first.at_ms => {
                let (when, why) = (self.time(last), causes(&last.trail));
                told + &format!("; the last probe failed {when}{why}")
            }
            _ => told,
        }
    }

    fn last(&self, to: CircuitState) -> Option<&Arc<Change>> {
        self.changes.iter().rev().find(|change| change.to == to)
    }

    fn time(&self, change: &Change) -> String {
        time_of_day(self.clock.epoch_ms(change.at_ms))
    }
}

/// The causes in parentheses, without their counts.
fn causes(trail: &Trail) -> String {
    let kinds: Vec<&str> = trail.kinds.iter().map(|(kind, _)| &**kind).collect();
    if kinds.is_empty() {
        String::new()
    } else {
        format!(" ({})", kinds.join(", "))
    }
}

/// Whole seconds from one second on.
fn coarse(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{time:?}")
    } else {
        format!("{}s", time.as_millis().div_ceil(1_000))
    }
}
