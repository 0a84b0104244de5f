//! How much is asked for, and how fast.

use super::Pace;

/// One turn's work: it ends after so many requests, or when its time is over, whichever is first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) requests: u64,
    pub(crate) seconds: u64,
    pub(crate) pace: Pace,
}

impl Work {
    /// When a turn that began at `started_ns` sends nothing more.
    pub(super) const fn stop_ns(self, started_ns: u64) -> u64 {
        started_ns.saturating_add(self.seconds.saturating_mul(1_000_000_000))
    }
}
