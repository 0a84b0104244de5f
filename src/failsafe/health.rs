//! Is a backend healthy, and how fast is it? Starts healthy, unhealthy after three failures in a row, healthy again at the first success.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;
use tracing::{info, warn};

use crate::{
    lockfree::{HealthChange, HealthWord, Recorder, Snapshot, SnapshotRing},
    telemetry::{
        Clock, Stamp,
        clock::{micros, millis},
    },
};

/// Failures in a row that make a backend unhealthy.
const UNHEALTHY_AFTER: u32 = 3;
/// Snapshots kept for [`HealthTracker::last`]: one every five seconds for a minute, and one more to subtract.
const KEPT_SNAPSHOTS: usize = 13;

/// Counts and times the calls of one backend. Recording is synchronous and takes no lock: each thread writes its own shard.
#[derive(Debug)]
pub struct HealthTracker {
    name: Box<str>,
    word: HealthWord,
    recorder: Recorder,
    ring: SnapshotRing,
    clock: Clock,
}

/// How one backend does. Totals since the start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthMetrics {
    /// The backend's name.
    pub backend: String,
    /// False from three failures in a row until the next success.
    pub healthy: bool,
    /// Calls that succeeded.
    pub success_count: u64,
    /// Calls that failed.
    pub failure_count: u64,
    /// Failures since the last success.
    pub consecutive_failures: u64,
    /// When the last success ended, in milliseconds since the Unix epoch; 0 if there was none.
    pub last_success_ms: u64,
    /// When the last failure ended, in milliseconds since the Unix epoch; 0 if there was none.
    pub last_failure_ms: u64,
    /// The median latency of successes, in milliseconds to within 0.8 %; none before the first.
    pub latency_p50_ms: Option<f64>,
    /// The latency that 95 % of successes kept within.
    pub latency_p95_ms: Option<f64>,
    /// The latency that 99 % of successes kept within.
    pub latency_p99_ms: Option<f64>,
}

/// How one backend did lately.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RecentCalls {
    /// Calls that succeeded.
    pub success_count: u64,
    /// Calls that failed.
    pub failure_count: u64,
    /// The median latency of successes, in milliseconds to within 0.8 %; none without a success.
    pub latency_p50_ms: Option<f64>,
    /// The latency that 95 % of successes kept within.
    pub latency_p95_ms: Option<f64>,
    /// The latency that 99 % of successes kept within.
    pub latency_p99_ms: Option<f64>,
}

impl HealthTracker {
    /// A tracker for the backend of this name: healthy, with nothing on record.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::with_clock(name, Clock::new())
    }

    /// The same on a clock that is handed in.
    #[must_use]
    pub fn with_clock(name: &str, clock: Clock) -> Self {
        Self {
            name: name.into(),
            word: HealthWord::new(UNHEALTHY_AFTER),
            recorder: Recorder::new(),
            ring: SnapshotRing::new(KEPT_SNAPSHOTS),
            clock,
        }
    }

    /// Records a call that succeeded just now and took `latency`.
    pub fn record_success(&self, latency: Duration) {
        self.success(micros(latency), self.clock.now().millis());
    }

    /// Records a call that failed just now, after an unknown time, which counts as none.
    pub fn record_failure(&self) {
        self.failure(0, self.clock.now().millis(), false);
    }

    /// Whether fewer than three failures in a row are on record.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.word.is_healthy()
    }

    /// How the backend does: one merge of all shards, so that the numbers belong together.
    #[must_use]
    pub fn metrics(&self) -> HealthMetrics {
        let snapshot = self.snapshot();
        let consecutive_failures = self.word.consecutive_failures();
        let epoch = |ms: Option<u64>| ms.map_or(0, |ms| self.clock.epoch_ms(ms));
        let latency = |quantile| quantile_ms(snapshot.successes(), quantile);
        HealthMetrics {
            backend: self.name.to_string(),
            healthy: consecutive_failures < u64::from(UNHEALTHY_AFTER),
            success_count: snapshot.successes().len(),
            failure_count: snapshot.failures().len(),
            consecutive_failures,
            last_success_ms: epoch(snapshot.last_success_ms()),
            last_failure_ms: epoch(snapshot.last_failure_ms()),
            latency_p50_ms: latency(0.5),
            latency_p95_ms: latency(0.95),
            latency_p99_ms: latency(0.99),
        }
    }

    /// How the backend did in the last `span`, to within the five seconds of a [`HealthTracker::tick`].
    #[must_use]
    pub fn recent(&self, span: Duration) -> RecentCalls {
        let snapshot = self.last(span, self.clock.now());
        let latency = |quantile| quantile_ms(snapshot.successes(), quantile);
        RecentCalls {
            success_count: snapshot.successes().len(),
            failure_count: snapshot.failures().len(),
            latency_p50_ms: latency(0.5),
            latency_p95_ms: latency(0.95),
            latency_p99_ms: latency(0.99),
        }
    }

    /// Everything recorded so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.recorder.snapshot()
    }

    /// Where its latencies are recorded.
    #[must_use]
    pub const fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What was recorded in the last `span` before `now`, as finely as [`HealthTracker::tick`] is called; at most thirteen ticks back.
    #[must_use]
    pub fn last(&self, span: Duration, now: Stamp) -> Snapshot {
        self.within(span, now, &self.snapshot())
    }

    /// The same, for who has everything recorded so far at hand.
    #[must_use]
    pub fn within(&self, span: Duration, now: Stamp, everything: &Snapshot) -> Snapshot {
        self.ring.since(now.millis(), millis(span), everything)
    }

    /// When the latest call was recorded, in milliseconds of the clock; none if there was none. Cheap: who looks every second
    /// need not look closely where nothing has happened.
    #[must_use]
    pub fn last_recorded_ms(&self) -> Option<u64> {
        self.recorder.last_ms()
    }

    /// Remembers the totals of this moment. Called every five seconds, it gives [`HealthTracker::last`] a minute.
    pub fn tick(&self, now: Stamp) {
        self.ring.push(now.millis(), &self.snapshot());
    }

    /// Records a success that ended at `now_ms`. While there is no failure on record it writes only this thread's shard.
    #[inline]
    pub(crate) fn success(&self, latency_us: u64, now_ms: u64) {
        self.recorder.record_success(latency_us, now_ms);
        if self.word.success() == Some(HealthChange::BecameHealthy) {
            info!(backend = &*self.name, "Backend healthy again");
        }
    }

    /// Records a failure that ended at `now_ms`. One that is `over` is counted and timed, and says nothing of the present.
    pub(crate) fn failure(&self, latency_us: u64, now_ms: u64, over: bool) {
        self.recorder.record_failure(latency_us, now_ms);
        if over {
            return;
        }
        if let Some(HealthChange::BecameUnhealthy { failures }) = self.word.failure() {
            warn!(backend = &*self.name, failures, "Backend unhealthy");
        }
    }
}

/// A quantile in milliseconds; none of no samples.
fn quantile_ms(latencies: &Histogram<u64>, quantile: f64) -> Option<f64> {
    let us = latencies.value_at_quantile(quantile);
    let us = u32::try_from(us).unwrap_or(u32::MAX);
    (!latencies.is_empty()).then(|| f64::from(us) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracker() -> (HealthTracker, impl Fn(Duration)) {
        let (clock, advance) = Clock::mocked();
        (HealthTracker::with_clock("search", clock), advance)
    }

    #[test]
    fn starts_healthy_and_without_latencies() {
        let metrics = HealthTracker::new("search").metrics();
        assert!(metrics.healthy);
        assert_eq!(
            serde_json::to_string(&metrics).unwrap(),
            r#"{"backend":"search","healthy":true,"success_count":0,"failure_count":0,"consecutive_failures":0,"last_success_ms":0,"last_failure_ms":0,"latency_p50_ms":null,"latency_p95_ms":null,"latency_p99_ms":null}"#
        );
    }

    #[test]
    fn unhealthy_after_three_failures_in_a_row_and_healthy_at_the_first_success() {
        let (tracker, _) = tracker();
        tracker.record_failure();
        tracker.record_failure();
        assert!(tracker.is_healthy());
        tracker.record_failure();
        assert!(!tracker.is_healthy());
        assert_eq!(tracker.metrics().consecutive_failures, 3);
        tracker.record_success(Duration::from_millis(1));
        assert!(tracker.is_healthy());
        assert_eq!(tracker.metrics().consecutive_failures, 0);
        assert_eq!(tracker.metrics().failure_count, 3);
    }

    #[test]
    fn failures_that_are_not_in_a_row_leave_it_healthy() {
        let (tracker, _) = tracker();
        for _ in 0..100 {
            tracker.record_failure();
            tracker.record_failure();
            tracker.record_success(Duration::ZERO);
        }
        assert!(tracker.is_healthy());
        assert_eq!(tracker.metrics().failure_count, 200);
    }

    #[test]
    fn latencies_are_fractions_of_milliseconds_true_to_less_than_a_percent() {
        let (tracker, _) = tracker();
        for us in 1..=1_000 {
            tracker.record_success(Duration::from_micros(us));
        }
        let metrics = tracker.metrics();
        for (measured, exact) in [
            (metrics.latency_p50_ms, 0.5),
            (metrics.latency_p95_ms, 0.95),
            (metrics.latency_p99_ms, 0.99),
        ] {
            let error = (measured.unwrap() - exact).abs() / exact;
            assert!(error < 0.01, "{measured:?} for {exact}");
        }
    }

    #[test]
    fn the_times_of_the_last_results_are_epoch_milliseconds() {
        let (tracker, advance) = tracker();
        advance(Duration::from_secs(5));
        tracker.record_success(Duration::ZERO);
        advance(Duration::from_secs(2));
        tracker.record_failure();
        let metrics = tracker.metrics();
        assert_eq!(metrics.last_failure_ms - metrics.last_success_ms, 2_000);
        assert!(metrics.last_success_ms > 1_600_000_000_000);
    }

    #[test]
    fn the_last_ten_seconds_leave_out_what_is_older() {
        let (tracker, advance) = tracker();
        for _ in 0..60 {
            tracker.tick(tracker.clock.now());
            tracker.record_success(Duration::from_millis(1));
            advance(Duration::from_secs(5));
        }
        let now = tracker.clock.now();
        let within = |seconds| tracker.last(Duration::from_secs(seconds), now);
        assert_eq!(within(10).successes().len(), 2);
        assert_eq!(within(60).successes().len(), 12);
        assert_eq!(tracker.snapshot().successes().len(), 60);
        let recent = tracker.recent(Duration::from_secs(10));
        assert_eq!(recent.success_count, within(10).successes().len());
        assert_eq!(recent.latency_p50_ms.is_some(), recent.success_count > 0);
    }

    #[test]
    fn threads_that_record_at_once_lose_nothing() {
        let (tracker, _) = tracker();
        let record = || {
            for _ in 0..5_000 {
                tracker.record_success(Duration::from_micros(10));
                tracker.record_failure();
            }
        };
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(record);
            }
        });
        let metrics = tracker.metrics();
        assert_eq!(
            (metrics.success_count, metrics.failure_count),
            (20_000, 20_000)
        );
    }
}
