//! Where the time of a request went that was not the gateway's own: queue, backend, and the pauses between attempts.

use std::time::Duration;

use crate::lockfree::Counter;

/// What a request waited for. All its calls and their attempts add up.
#[derive(Debug, Default)]
pub struct Spent {
    queued_ns: Counter,
    backend_ns: Counter,
    paused_ns: Counter,
}

impl Spent {
    /// How long it waited for a place at its backend.
    #[must_use]
    pub fn queued(&self) -> Duration {
        Duration::from_nanos(self.queued_ns.total())
    }

    /// How long it waited for its backend, with what it took to start or connect it.
    #[must_use]
    pub fn backend(&self) -> Duration {
        Duration::from_nanos(self.backend_ns.total())
    }

    /// How long it waited before it was sent again.
    #[must_use]
    pub fn paused(&self) -> Duration {
        Duration::from_nanos(self.paused_ns.total())
    }

    /// All of it.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.queued() + self.backend() + self.paused()
    }

    /// Adds a wait for the backend.
    pub fn add_backend(&self, waited: Duration) {
        add(&self.backend_ns, waited);
    }

    pub(super) fn add_queued(&self, waited: Duration) {
        add(&self.queued_ns, waited);
    }

    pub(super) fn add_paused(&self, waited: Duration) {
        add(&self.paused_ns, waited);
    }
}

/// A copy of a request waits by itself.
impl Clone for Spent {
    fn clone(&self) -> Self {
        Self::default()
    }
}

fn add(sum: &Counter, waited: Duration) {
    if !waited.is_zero() {
        sum.add(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX));
    }
}
