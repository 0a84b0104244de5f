//! One look at everything: when it is, and whether there can be anything new since the last.

use super::column::COLUMN_MS;

/// A call may be recorded a moment after the clock was read for it.
const LATE_MS: u64 = 2_000;

/// One look, at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// On the gateway's clock.
    pub(super) now_ms: u64,
    /// The same since the Unix epoch.
    pub(super) at_ms: u64,
    /// When the look before it was, on the clock.
    pub(super) before_ms: u64,
    /// Whether it is one of those that come every five seconds.
    pub(super) is_thorough: bool,
}

impl Look {
    /// The column that the time before it belongs to; looks are taken at whole seconds.
    pub(super) const fn column(&self) -> u64 {
        self.at_ms.saturating_sub(500) / COLUMN_MS
    }
}

/// Whether a recorder that was last written at `last_ms` may hold what was not there when it was `looked_ms`.
pub(super) fn is_news(last_ms: Option<u64>, looked_ms: Option<u64>) -> bool {
    last_ms.is_some_and(|last| looked_ms.is_none_or(|looked| last + LATE_MS >= looked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_written_or_rests_is_no_news() {
        assert!(!is_news(None, None) && !is_news(None, Some(9)));
        assert!(is_news(Some(5), None) && is_news(Some(10_000), Some(11_000)));
        assert!(!is_news(Some(10_000), Some(13_000)));
    }

    #[test]
    fn a_look_at_a_whole_second_belongs_to_the_second_before_it() {
        let at = |at_ms| Look {
            now_ms: 0,
            at_ms,
            before_ms: 0,
            is_thorough: false,
        };
        assert_eq!((at(5_003).column(), at(6_001).column()), (0, 1));
        assert_eq!((at(10_004).column(), at(11_000).column()), (1, 2));
    }
}
