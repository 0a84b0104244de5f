//! Earlier totals of one objective, as finely as each window needs them.

use std::{collections::VecDeque, time::Duration};

use super::totals::Totals;
use crate::telemetry::clock::millis;

/// Steps and how many of each are kept: every ten seconds for five minutes, every minute for six hours, every half hour for
/// three days. With one more of each, and 24 bytes for one, a series takes at most 13 KB.
const TIERS: [(Duration, usize); 3] = [
    (Duration::from_secs(10), 31),
    (Duration::from_secs(60), 361),
    (Duration::from_secs(1_800), 145),
];

/// A moment and the totals at it.
type Point = (u64, Totals);

/// The past of one objective.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// When it began, with the totals of then.
    origin: Option<Point>,
    tiers: [VecDeque<Point>; TIERS.len()],
    last: Totals,
}

impl Series {
    /// Keeps the totals of this moment. Totals that have shrunk are those of somebody else: what was before is forgotten.
    pub(super) fn push(&mut self, now_ms: u64, totals: Totals) {
        if totals.all < self.last.all || totals.bad < self.last.bad {
            *self = Self::default();
        }
        self.last = totals;
        let _ = self.origin.get_or_insert((now_ms, totals));
        for (points, (step, most)) in self.tiers.iter_mut().zip(TIERS) {
            let is_due = |(at_ms, _): &Point| now_ms.saturating_sub(*at_ms) >= millis(step);
            if points.back().is_none_or(is_due) {
                if points.len() == most {
                    points.pop_front();
                }
                points.push_back((now_ms, totals));
            }
        }
    }

    /// What came within `window` before `now_ms`, or since it began.
    pub(super) fn within(&self, now_ms: u64, window: Duration, totals: Totals) -> Totals {
        let Some(origin) = self.origin else {
            return Totals::default();
        };
        let begin_ms = now_ms.saturating_sub(millis(window));
        let old_enough = |points: &VecDeque<Point>| {
            let before = points.partition_point(|(at_ms, _)| *at_ms <= begin_ms);
            before.checked_sub(1).and_then(|at| points.get(at)).copied()
        };
        // The latest of those that are old enough is in the finest tier that reaches so far back.
        let base = self.tiers.iter().find_map(old_enough);
        totals.since(base.unwrap_or(origin).1)
    }

    #[cfg(test)]
    fn points(&self) -> usize {
        self.tiers.iter().map(VecDeque::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    /// One call a second of which every tenth is bad, looked at every ten seconds.
    fn ran(seconds: u64) -> (Series, Totals) {
        let mut series = Series::default();
        let mut totals = Totals::default();
        for second in 0..=seconds {
            if second % 10 == 0 {
                series.push(second * SECOND, totals);
            }
            totals.all += 1;
            totals.bad += u64::from(second % 10 == 0);
        }
        (series, totals)
    }

    #[test]
    fn each_window_holds_what_came_in_it() {
        let hours = 80;
        let (series, totals) = ran(hours * 3_600);
        let now_ms = hours * 3_600 * SECOND;
        for window in [5, 30, 60, 120, 360, 1_440, 4_320] {
            let within = series.within(now_ms, minutes(window), totals);
            assert_eq!(within.all, window * 60 + 1, "{window} minutes");
            assert_eq!(within.bad, window * 6 + 1, "{window} minutes");
        }
    }

    #[test]
    fn before_a_window_is_over_everything_since_the_beginning_is_in_it() {
        let (series, totals) = ran(100);
        let within = series.within(100 * SECOND, minutes(60), totals);
        assert_eq!(within, totals);
        let nothing = Series::default().within(5, minutes(5), totals);
        assert_eq!(nothing, Totals::default());
    }

    #[test]
    fn its_memory_is_bounded_whatever_runs_how_long() {
        let (series, _) = ran(100 * 3_600);
        assert_eq!(series.points(), 31 + 361 + 145);
        assert_eq!(size_of::<Point>(), 24);
    }

    #[test]
    fn totals_that_shrink_begin_anew() {
        let (mut series, _) = ran(600);
        let fresh = Totals { all: 1, bad: 0 };
        series.push(610 * SECOND, fresh);
        let later = Totals { all: 11, bad: 10 };
        let within = series.within(620 * SECOND, minutes(30), later);
        assert_eq!(within, Totals { all: 10, bad: 10 });
    }
}
