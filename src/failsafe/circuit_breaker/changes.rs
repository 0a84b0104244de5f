//! The last changes of a breaker, each with what led to it.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;

use crate::{
    failsafe::circuit_breaker::{
        cause::{Cause, CauseKind},
        failures::KEPT,
        state::CircuitState,
    },
    telemetry::RequestId,
};

/// Changes that are kept: many more than a breaker makes in an hour of trouble.
const MOST: usize = 64;

/// One change of a breaker's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When, in milliseconds on the breaker's clock.
    pub at_ms: u64,
    /// The state it went to.
    pub to: CircuitState,
    /// Why.
    pub cause: CauseKind,
    /// What led to it.
    pub trail: Trail,
    /// How long the call took that made the change; none where there was no call.
    pub latency: Option<Duration>,
    /// The request that made the change; none where it has no name.
    pub request_id: Option<RequestId>,
}

/// The failures that led to a change, counted by what they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// How many there were.
    pub failures: u32,
    /// The time between the first and the last of them.
    pub over: Duration,
    /// What they were in a few words, and how many of each; of many failures the last 64.
    pub kinds: Vec<(Box<str>, u32)>,
}

/// The last changes, oldest first. A change copies the list, readers share it.
#[derive(Debug, Default)]
pub(super) struct Changes(ArcSwap<Vec<Arc<Change>>>);

impl Changes {
    pub(super) fn push(&self, change: Change) {
        let change = Arc::new(change);
        self.0.rcu(|changes| {
            let spare = (changes.len() + 1).saturating_sub(MOST);
            let kept = changes.iter().skip(spare).cloned();
            kept.chain([Arc::clone(&change)]).collect::<Vec<_>>()
        });
    }

    pub(super) fn all(&self) -> Arc<Vec<Arc<Change>>> {
        self.0.load_full()
    }
}

impl Trail {
    /// What `failures` failures were, the last of which are `causes`.
    pub(super) fn of(failures: u32, causes: &[Arc<Cause>]) -> Self {
        let mut kinds: Vec<(Box<str>, u32)> = Vec::new();
        for cause in causes {
            match kinds.iter_mut().find(|(kind, _)| *kind == cause.brief) {
                Some((_, count)) => *count += 1,
                None => kinds.push((cause.brief.clone(), 1)),
            }
        }
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let moment = |cause: Option<&Arc<Cause>>| cause.map_or(0, |cause| cause.at_ms);
        let over_ms = moment(causes.last()).saturating_sub(moment(causes.first()));
        Self {
            failures,
            over: Duration::from_millis(over_ms),
            kinds,
        }
    }
}

/// As in `5 failures in 1.2s: connection refused (4), deadline 30s (1)`.
impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures {
            1 => f.write_str("1 failure")?,
            failures if self.over.is_zero() => write!(f, "{failures} failures at once")?,
            failures => write!(f, "{failures} failures in {:.1?}", self.over)?,
        }
        if self.failures as usize > KEPT {
            write!(f, " (the last {KEPT} of them)")?;
        }
        let mut lead = ": ";
        for (kind, count) in &self.kinds {
            write!(f, "{lead}{kind} ({count})")?;
            lead = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failsafe::circuit_breaker::cause::Blame;

    fn cause(at_ms: u64, text: &str) -> Arc<Cause> {
        Arc::new(Blame::new(CauseKind::Reported, &text).cause(at_ms))
    }

    #[test]
    fn failures_are_counted_by_what_they_were_the_most_frequent_first() {
        let causes = [
            cause(1_000, "deadline 30s"),
            cause(1_100, "connection refused"),
            cause(2_200, "connection refused"),
        ];
        assert_eq!(
            Trail::of(3, &causes).to_string(),
            "3 failures in 1.2s: connection refused (2), deadline 30s (1)"
        );
        assert_eq!(
            Trail::of(1, &causes[..1]).to_string(),
            "1 failure: deadline 30s (1)"
        );
        let many = Trail::of(100, &causes).to_string();
        assert!(many.starts_with("100 failures in 1.2s (the last 64 of them): "));
    }

    #[test]
    fn old_changes_make_room_for_new_ones() {
        let changes = Changes::default();
        for at_ms in 0..100 {
            changes.push(Change {
                at_ms,
                to: CircuitState::Open,
                cause: CauseKind::Operator,
                trail: Trail::default(),
                latency: None,
                request_id: None,
            });
        }
        let kept: Vec<_> = changes.all().iter().map(|change| change.at_ms).collect();
        assert_eq!(kept, (36..100).collect::<Vec<_>>());
    }
}
