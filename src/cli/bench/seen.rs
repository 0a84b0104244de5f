//! What the client saw of the turns on one way.

use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

/// The longest latency that is told apart, in nanoseconds; a longer one counts as this.
const LONGEST_NS: u64 = 60_000_000_000;

/// Latencies to three digits, and how many requests there should have been.
#[derive(Debug)]
pub(super) struct Seen {
    latencies: Histogram<u64>,
    /// Requests that were due.
    pub(super) due: u64,
    /// How long the turns took, to the last answer.
    pub(super) took: Duration,
    /// The gateway's processor time, in nanoseconds; none of who has no gateway.
    pub(super) gateway_ns: u64,
}

impl Seen {
    pub(super) fn new() -> Result<Self, CreationError> {
        Ok(Self {
            latencies: Histogram::new_with_bounds(1, LONGEST_NS, 3)?,
            due: 0,
            took: Duration::ZERO,
            gateway_ns: 0,
        })
    }

    pub(super) fn record(&mut self, latency: Duration) {
        let ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.latencies.saturating_record(ns);
    }

    /// Adds what another turn saw.
    pub(super) fn add(&mut self, turn: &Self) {
        // Both have the same bounds, so everything fits.
        let _ = self.latencies.add(&turn.latencies);
        self.due += turn.due;
        self.took += turn.took;
        self.gateway_ns += turn.gateway_ns;
    }

    /// Requests that were answered.
    pub(super) fn answered(&self) -> u64 {
        self.latencies.len()
    }

    /// Answers a second.
    pub(super) fn per_second(&self) -> f64 {
        number(self.answered()) / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The latency in microseconds that this share of the requests, in percent, did not exceed.
    pub(super) fn percentile_us(&self, percent: f64) -> f64 {
        number(self.latencies.value_at_percentile(percent)) / 1e3
    }

    /// The gateway's processor time for one request, in microseconds.
    pub(super) fn gateway_us(&self) -> f64 {
        number(self.gateway_ns) / 1e3 / number(self.answered().max(1))
    }

    /// The share of the requests that were due and never sent, because no connection came free in their turn.
    pub(super) fn unsent(&self) -> f64 {
        number(self.due.saturating_sub(self.answered())) / number(self.due.max(1))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds and counts of five minutes are far below 2^52"
)]
const fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_add_up() {
        let mut all = Seen::new().unwrap();
        for ms in [1, 3] {
            let mut turn = Seen::new().unwrap();
            turn.record(Duration::from_millis(ms));
            turn.due = 2;
            turn.took = Duration::from_secs(1);
            turn.gateway_ns = 10_000;
            all.add(&turn);
        }
        assert_eq!((all.answered(), all.due), (2, 4));
        assert!((all.per_second() - 1.0).abs() < 1e-9);
        assert!((all.percentile_us(100.0) - 3_000.0).abs() < 3.0);
        assert!((all.gateway_us() - 10.0).abs() < 1e-9);
        assert!((all.unsent() - 0.5).abs() < 1e-9);
    }
}
