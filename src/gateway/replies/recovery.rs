//! What a model reads when it gets no good answer: what happened, whether time cures it, what to do.

use std::time::Duration;

use serde::Serialize;

pub(super) const INVALID_PARAM: &str = "INVALID_PARAM";
pub(super) const RATE_LIMITED: &str = "RATE_LIMITED";
pub(super) const TOOL_NOT_FOUND: &str = "TOOL_NOT_FOUND";

/// How to go on after a call that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::gateway) struct Recovery {
    /// One of a fixed set of words.
    pub(super) error_code: &'static str,
    /// What happened, as sentences.
    pub(super) message: String,
    /// When trying again may help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after_ms: Option<u64>,
    /// What to do.
    pub(super) suggest: String,
}

/// Whole milliseconds, rounded up: whoever waits that long is not early.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_millisecond_counts_as_a_whole_one() {
        assert_eq!(millis(Duration::from_micros(1)), 1);
        assert_eq!(millis(Duration::from_millis(2)), 2);
    }
}
