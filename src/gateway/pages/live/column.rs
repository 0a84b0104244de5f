//! Five seconds of a backend, and the quarter of an hour that is made of them.

use std::collections::VecDeque;

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::bins::{Bins, Sparse};
use crate::failsafe::{Outcome, Verdict};

/// How long a column is, in milliseconds.
pub(super) const COLUMN_MS: u64 = 5_000;
/// Columns that are kept: fifteen minutes.
const KEPT: usize = 180;

/// Calls by what people ask about them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub(super) good: u64,
    pub(super) failed: u64,
    /// Nothing was sent: breaker, queue, limit, or stopped.
    pub(super) refused: u64,
    /// They say nothing of the backend: cancelled, the caller's fault, denied.
    pub(super) other: u64,
}

impl Counts {
    pub(super) fn of(outcomes: impl Iterator<Item = (Outcome, u64)>) -> Self {
        let mut counts = Self::default();
        for (outcome, total) in outcomes {
            *counts.place(outcome) += total;
        }
        counts
    }

    const fn place(&mut self, outcome: Outcome) -> &mut u64 {
        match (outcome, outcome.verdict()) {
            (_, Verdict::Success) => &mut self.good,
            (_, Verdict::Failure) | (Outcome::ToolFailure, _) => &mut self.failed,
            (
                Outcome::CircuitOpen
                | Outcome::Overloaded
                | Outcome::RateLimited
                | Outcome::Throttled
                | Outcome::Stopped,
                _,
            ) => &mut self.refused,
            _ => &mut self.other,
        }
    }

    pub(super) const fn since(&self, earlier: &Self) -> Self {
        Self {
            good: self.good.saturating_sub(earlier.good),
            failed: self.failed.saturating_sub(earlier.failed),
            refused: self.refused.saturating_sub(earlier.refused),
            other: self.other.saturating_sub(earlier.other),
        }
    }

    pub(super) const fn add(&mut self, more: &Self) {
        self.good += more.good;
        self.failed += more.failed;
        self.refused += more.refused;
        self.other += more.other;
    }

    pub(super) const fn total(&self) -> u64 {
        self.good + self.failed + self.refused + self.other
    }

    pub(super) const fn row(&self) -> [u64; 4] {
        [self.good, self.failed, self.refused, self.other]
    }
}

/// What belongs to one column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// When it began, in columns since the Unix epoch.
    pub(super) number: u64,
    pub(super) counts: Counts,
    pub(super) heat: Sparse,
    /// p50, p95 and p99 of the last minute as of its end, in microseconds.
    pub(super) latency_us: Option<[u64; 3]>,
    pub(super) in_flight: usize,
    pub(super) queued: usize,
}

/// Columns in the order of time; one in which nothing was is not kept.
#[derive(Debug, Default)]
pub(super) struct Columns(VecDeque<Column>);

impl Columns {
    /// The column of this number, which is not earlier than the last.
    pub(super) fn at(&mut self, number: u64) -> Option<&mut Column> {
        self.forget(number);
        if self.0.back().is_none_or(|last| last.number < number) {
            self.0.push_back(Column {
                number,
                counts: Counts::default(),
                heat: Sparse::default(),
                latency_us: None,
                in_flight: 0,
                queued: 0,
            });
        }
        self.0.back_mut()
    }

    /// Drops what is older than a quarter of an hour.
    pub(super) fn forget(&mut self, number: u64) {
        while self.0.front().is_some_and(|it| is_over(it.number, number)) {
            self.0.pop_front();
        }
    }
}

/// Whether a column is older than a quarter of an hour in column `now`.
const fn is_over(number: u64, now: u64) -> bool {
    number + KEPT as u64 <= now
}

/// Nothing but latencies: what is kept of a tool.
#[derive(Debug, Default)]
pub(super) struct HeatColumns(VecDeque<(u64, Sparse)>);

impl HeatColumns {
    /// Adds to the column of this number, which is not earlier than the last.
    pub(super) fn add(&mut self, number: u64, bins: &Bins) {
        if self.0.back().is_none_or(|(last, _)| *last < number) {
            self.0.push_back((number, Sparse::default()));
        }
        if let Some((_, heat)) = self.0.back_mut() {
            heat.add(bins);
        }
    }

    /// Drops what is older than a quarter of an hour. False if nothing is left.
    pub(super) fn forget(&mut self, number: u64) -> bool {
        while self.0.front().is_some_and(|(it, _)| is_over(*it, number)) {
            self.0.pop_front();
        }
        !self.0.is_empty()
    }
}

impl Serialize for HeatColumns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let columns = self.0.iter();
        serializer.collect_seq(columns.map(|(number, heat)| (number, heat.flat())))
    }
}

impl Serialize for Columns {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(Some(self.0.len()))?;
        for column in &self.0 {
            all.serialize_element(&(
                column.number,
                column.counts.row(),
                column.latency_us,
                (column.in_flight, column.queued),
                column.heat.flat(),
            ))?;
        }
        all.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_counted_once_and_refusals_are_no_failures() {
        let counts = Counts::of(Outcome::ALL.into_iter().map(|outcome| (outcome, 1)));
        assert_eq!(counts.total(), Outcome::ALL.len() as u64);
        let one = |outcome| Counts::of([(outcome, 1)].into_iter()).row();
        assert_eq!(one(Outcome::ToolError), [1, 0, 0, 0]);
        assert_eq!(one(Outcome::ToolFailure), [0, 1, 0, 0]);
        assert_eq!(one(Outcome::CircuitOpen), [0, 0, 1, 0]);
        assert_eq!(one(Outcome::Cancelled), [0, 0, 0, 1]);
    }

    #[test]
    fn a_quarter_of_an_hour_is_kept_and_no_more() {
        let mut columns = Columns::default();
        for number in 1..=1_000 {
            columns.at(number).unwrap().in_flight = 1;
        }
        assert_eq!(columns.0.len(), KEPT);
        assert_eq!(columns.0.front().unwrap().number, 821);
        columns.forget(1_100);
        assert_eq!(columns.0.front().unwrap().number, 921);
        columns.forget(9_999);
        assert!(columns.0.is_empty());
        let mut heat = HeatColumns::default();
        (1..=1_000).for_each(|number| heat.add(number, &Bins::NONE));
        assert!(heat.forget(1_000));
        assert_eq!(heat.0.len(), KEPT);
        assert!(!heat.forget(9_999));
    }
}
