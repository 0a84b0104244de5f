//! What is said of failed calls: of each of the first few, and then how many more there were.

use std::{array, time::Duration};

use crate::{failsafe::Outcome, lockfree::Repeats};

/// Failures with one outcome that are said one by one in each [`WHILE`].
const FEW: u32 = 10;
const WHILE: Duration = Duration::from_secs(10);

/// The failed calls of one backend, by what they came to.
#[derive(Debug)]
pub(super) struct Told([Repeats; Outcome::ALL.len()]);

impl Told {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| Repeats::new(FEW, WHILE)))
    }

    /// Whether one more is said, at `now_ms`.
    pub(super) fn is_said(&self, backend: &str, outcome: Outcome, now_ms: u64) -> bool {
        let Some(repeats) = self.0.get(outcome.index()) else {
            return true;
        };
        let again = repeats.again(now_ms);
        tell(backend, outcome, again.unsaid);
        again.aloud
    }

    /// Tells of those that were not said and came up no more.
    pub(super) fn tell_rest(&self, backend: &str, now_ms: u64) {
        for (outcome, repeats) in Outcome::ALL.into_iter().zip(&self.0) {
            tell(backend, outcome, repeats.rest(now_ms));
        }
    }
}

fn tell(backend: &str, outcome: Outcome, repeated: u64) {
    if repeated > 0 {
        let (outcome, within) = (outcome.label(), WHILE);
        tracing::warn!(
            backend,
            outcome,
            repeated,
            ?within,
            "Request failed, repeated"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::transcript::transcript;

    #[test]
    fn the_same_failure_is_said_ten_times_and_then_counted() {
        let told = Told::new();
        let mut said = 0;
        let lines = transcript(|| {
            for at in 0..67 {
                said += u32::from(told.is_said("search", Outcome::Timeout, at));
                assert_eq!(told.is_said("search", Outcome::Lost, at), at < 10);
            }
            told.tell_rest("search", 9_999);
            assert!(told.is_said("search", Outcome::Lost, 10_000));
            told.tell_rest("search", 10_000);
        });
        assert_eq!(said, FEW);
        assert_eq!(
            lines,
            [
                "WARN Request failed, repeated | backend=search outcome=lost repeated=57 within=10s",
                "WARN Request failed, repeated | backend=search outcome=timeout repeated=57 within=10s",
            ]
        );
    }
}
