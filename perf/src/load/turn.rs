//! What the client saw of one turn.

use std::io;

use hdrhistogram::Histogram;

/// The longest latency that is told apart; a longer one counts as this.
const LONGEST_NS: u64 = 60_000_000_000;

/// The latencies of one turn, to three digits, and how long it took in all.
pub(crate) struct Latencies {
    histogram: Histogram<u64>,
    pub(crate) elapsed_ns: u64,
}

impl Latencies {
    pub(super) fn new() -> io::Result<Self> {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, 3).map_err(io::Error::other)?;
        Ok(Self {
            histogram,
            elapsed_ns: 0,
        })
    }

    pub(super) fn record(&mut self, latency_ns: u64) {
        self.histogram.saturating_record(latency_ns);
    }

    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The latency in microseconds that this share of the requests, in percent, did not exceed.
    #[expect(
        clippy::cast_precision_loss,
        reason = "latencies are far below 2^52 ns"
    )]
    pub(crate) fn percentile_us(&self, percent: f64) -> f64 {
        self.histogram.value_at_percentile(percent) as f64 / 1e3
    }
}
