//! How fast the room for errors burns: 1 uses it up exactly by the end of the time that it is for.

use super::{
    series::Series,
    totals::Totals,
    windows::{ALARMS, BUDGET, WINDOWS},
};

/// Fewer calls in a window than these say nothing: one bad call of two is no outage.
const FEW: u64 = 10;

/// The burn rates of one objective at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    /// One for each window.
    pub(super) rates: [f64; WINDOWS.len()],
    /// The share of the room for errors that is left of the longest window; below zero if more than all is used.
    pub(super) left: f64,
    /// Whether it burns so fast that somebody should know.
    pub(super) alarming: bool,
}

impl Rates {
    /// Those of a series whose share of good calls, in percent, should be `objective`.
    pub(super) fn of(series: &Series, objective: f64, now_ms: u64, totals: Totals) -> Self {
        let room = 1.0 - objective / 100.0;
        let within = WINDOWS.map(|window| series.within(now_ms, window.length, totals));
        let rates = within.map(|within| within.bad_share() / room);
        let alarming = ALARMS.iter().any(|(short, long, rate)| {
            within[*short].all >= FEW && rates[*short] >= *rate && rates[*long] >= *rate
        });
        Self {
            rates,
            left: 1.0 - rates[BUDGET],
            alarming,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: u64 = 60_000;

    /// A hundred calls a minute, of which `bad` are bad in each of the last `of` minutes of a whole day.
    fn day(bad: u64, of: u64) -> (Series, Totals) {
        let mut series = Series::default();
        let mut totals = Totals::default();
        for minute in 0..=1_440 {
            series.push(minute * MINUTE_MS, totals);
            if minute < 1_440 {
                totals.all += 100;
                totals.bad += if minute >= 1_440 - of { bad } else { 0 };
            }
        }
        (series, totals)
    }

    fn rates(bad: u64, of: u64, objective: f64) -> Rates {
        let (series, totals) = day(bad, of);
        Rates::of(&series, objective, 1_440 * MINUTE_MS, totals)
    }

    fn is(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-6
    }

    #[test]
    fn a_share_of_bad_calls_that_is_n_times_the_room_is_a_rate_of_n() {
        let found = rates(10, 1_440, 99.0);
        assert!(found.rates.iter().all(|rate| is(*rate, 10.0)), "{found:?}");
        assert!(is(found.left, -9.0) && found.alarming);
        let exact = rates(1, 1_440, 99.0);
        assert!(exact.rates.iter().all(|rate| is(*rate, 1.0)), "{exact:?}");
        assert!(is(exact.left, 0.0));
    }

    #[test]
    fn a_short_burst_alarms_only_where_the_long_window_agrees() {
        // All calls of six minutes: 100 times the room in five minutes, a tenth of that in an hour.
        let burst = rates(100, 6, 99.0);
        assert!(is(burst.rates[0], 100.0) && is(burst.rates[2], 10.0));
        assert!(!burst.alarming);
        let hour = rates(20, 60, 99.0);
        assert!(is(hour.rates[2], 20.0) && hour.alarming);
        let small = rates(2, 5, 99.0);
        assert!(!small.alarming, "{small:?}");
    }

    #[test]
    fn no_calls_and_few_calls_alarm_nobody() {
        let nothing = Rates::of(&Series::default(), 99.9, 0, Totals::default());
        assert!(!nothing.alarming && is(nothing.left, 1.0));
        let mut series = Series::default();
        series.push(0, Totals::default());
        let few = Rates::of(&series, 99.9, 1, Totals { all: 9, bad: 9 });
        assert!(few.rates[0] > 14.4 && !few.alarming);
        let enough = Rates::of(&series, 99.9, 1, Totals { all: 10, bad: 10 });
        assert!(enough.alarming);
    }
}
