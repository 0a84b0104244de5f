//! The one place that reads a clock: monotonic stamps, and what the wall said when the process began.

use std::{
    ops::Range,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment on the monotonic clock, in nanoseconds since its [`Clock`] was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp(u64);

impl Stamp {
    /// A stamp at `nanos` nanoseconds after its clock was made.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Whole milliseconds since the clock was made: the unit of the breaker.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// The time from `earlier` to this stamp; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// The moment so much later.
    #[must_use]
    pub fn later(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(u64::try_from(by.as_nanos()).unwrap_or(u64::MAX)),
        )
    }

    /// The same in nanoseconds.
    #[must_use]
    pub const fn nanos_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Whole milliseconds: the unit in which settings of time reach the core.
#[must_use]
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whole microseconds: the unit of the recorders.
#[must_use]
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// Milliseconds with three places: whole microseconds.
#[must_use]
pub fn milliseconds(time: Duration) -> f64 {
    u32::try_from(time.as_micros()).map_or(f64::INFINITY, |micros| f64::from(micros) / 1e3)
}

/// The time of day of a moment in milliseconds since the Unix epoch, as in `12:03:10 UTC`.
#[must_use]
pub fn time_of_day(epoch_ms: u64) -> String {
    let seconds = epoch_ms / 1_000 % 86_400;
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02} UTC", seconds % 60)
}

/// What the wall shows now, since the Unix epoch: for the log alone, which follows the wall when that jumps.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this file is the one place that reads a clock"
)]
pub(super) fn wall_time() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// A time as a line of the log begins with it (RFC 3339, microseconds), kept so that within a second only the fraction is
/// written again.
#[derive(Clone, Copy, Debug)]
pub(super) struct LogTime {
    second: u64,
    text: [u8; LogTime::LENGTH],
}

impl LogTime {
    const LENGTH: usize = "1970-01-01T00:00:00.000000Z".len();
    /// None that was ever shown.
    pub(super) const UNKNOWN: Self = Self {
        second: u64::MAX,
        text: *b"1970-01-01T00:00:00.000000Z",
    };

    /// The text for a time since the Unix epoch.
    pub(super) fn show(&mut self, since_epoch: Duration) -> &str {
        let second = since_epoch.as_secs();
        if self.second != second {
            self.second = second;
            self.show_second();
        }
        self.digits(20..26, u64::from(since_epoch.subsec_micros()));
        // It holds digits and ASCII marks.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    fn show_second(&mut self) {
        let (year, month, day) = date(self.second / 86_400);
        let second = self.second % 86_400;
        self.digits(0..4, year);
        self.digits(5..7, month);
        self.digits(8..10, day);
        self.digits(11..13, second / 3_600);
        self.digits(14..16, second / 60 % 60);
        self.digits(17..19, second % 60);
    }

    fn digits(&mut self, place: Range<usize>, mut number: u64) {
        for digit in self.text[place].iter_mut().rev() {
            // A remainder of ten fits.
            *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
    }
}

/// Year, month and day of a day since the Unix epoch, counted in years that begin in March, so that the leap day is the last
/// one (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + later, month, of_month)
}

/// A monotonic clock that can also say what the wall would show, without asking the wall again:
/// a wall clock that jumps moves nothing here.
#[derive(Clone, Debug)]
pub struct Clock {
    source: quanta::Clock,
    origin: u64,
    epoch_ms: u64,
    /// How often it was looked at.
    #[cfg(test)]
    pub(crate) reads: std::sync::Arc<crate::lockfree::Counter>,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self::from_source(quanta::Clock::new())
    }

    /// A clock on a given source; tests hand in `quanta::Clock::mock()`.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this file is the one place that reads a clock"
    )]
    pub fn from_source(source: quanta::Clock) -> Self {
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let epoch_ms = millis(epoch);
        let origin = source.raw();
        Self {
            source,
            origin,
            epoch_ms,
            #[cfg(test)]
            reads: std::sync::Arc::default(),
        }
    }

    /// A clock that stands still, and what moves it on: for tests of every floor.
    #[cfg(test)]
    pub(crate) fn mocked() -> (Self, impl Fn(Duration)) {
        let (source, mock) = quanta::Clock::mock();
        (Self::from_source(source), move |by| mock.increment(by))
    }

    /// The moment of this call. One read of the processor's counter.
    #[must_use]
    pub fn now(&self) -> Stamp {
        #[cfg(test)]
        self.reads.add(1);
        Stamp(self.source.delta_as_nanos(self.origin, self.source.raw()))
    }

    /// What the wall showed at `stamp`, to the nanosecond of this clock.
    #[must_use]
    pub fn wall(&self, stamp: Stamp) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.epoch_ms) + Duration::from_nanos(stamp.0)
    }

    /// The wall time of a moment given in milliseconds since the clock was made, as milliseconds since the Unix epoch.
    #[must_use]
    pub const fn epoch_ms(&self, millis: u64) -> u64 {
        self.epoch_ms.saturating_add(millis)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_day_is_that_of_greenwich() {
        assert_eq!(time_of_day(0), "00:00:00 UTC");
        // Sun, 06 Nov 1994 08:49:37 GMT
        assert_eq!(time_of_day(784_111_777_999), "08:49:37 UTC");
        assert!((milliseconds(Duration::from_nanos(1_500_999)) - 1.5).abs() < 1e-9);
    }

    #[test]
    fn a_line_begins_with_its_date_and_time_to_the_microsecond() {
        let mut time = LogTime::UNKNOWN;
        for (seconds, micros, text) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            (784_111_777, 999_999, "1994-11-06T08:49:37.999999Z"),
            (784_111_777, 7, "1994-11-06T08:49:37.000007Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000Z"),
            (951_868_799, 0, "2000-02-29T23:59:59.000000Z"),
            (951_868_800, 0, "2000-03-01T00:00:00.000000Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000Z"),
            (1_798_761_599, 0, "2026-12-31T23:59:59.000000Z"),
        ] {
            let since_epoch = Duration::from_secs(seconds) + Duration::from_micros(micros);
            assert_eq!(time.show(since_epoch), text);
        }
    }

    #[test]
    fn a_mocked_clock_moves_only_when_told() {
        let (clock, advance) = Clock::mocked();
        let before = clock.now();
        advance(Duration::from_millis(1500));
        let after = clock.now();
        assert_eq!(after.since(before), Duration::from_millis(1500));
        assert_eq!(after.millis(), 1500);
        assert_eq!(before.since(after), Duration::ZERO);
        assert_eq!(clock.epoch_ms(1500) - clock.epoch_ms(0), 1500);
    }
}
