//! The `Server-Timing` header: where the time of an answer went (W3C Server Timing, section 3).

use http::HeaderValue;

use crate::gateway::Timing;

/// Longer than any value: four names, and four durations of which none is longer than an hour of milliseconds by much.
const ROOM: usize = 128;
/// What does not fit into the digits of a duration, a hundred days, is shown as that.
const LONGEST_US: u64 = 9_999_999_999_999;

/// The header's value: durations in milliseconds with three places.
pub(super) fn value(timing: &Timing) -> Option<HeaderValue> {
    let mut text = Text::default();
    text.metric("queue;dur=", timing.queue);
    text.metric(", backend;dur=", timing.backend);
    if timing.retry > 0 {
        text.metric(", retry;dur=", timing.retry);
    }
    text.metric(", gateway;dur=", timing.gateway);
    HeaderValue::from_bytes(text.bytes.get(..text.length)?).ok()
}

/// Text that is put together where it stands: the header is on every answer.
struct Text {
    bytes: [u8; ROOM],
    length: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: [b'0'; ROOM],
            length: 0,
        }
    }
}

impl Text {
    fn metric(&mut self, name: &str, us: u64) {
        self.put(name.as_bytes());
        self.number(us.min(LONGEST_US));
    }

    /// Whole microseconds as milliseconds.
    fn number(&mut self, us: u64) {
        let mut digits = *b"0000000000.000";
        let mut rest = us;
        let mut first = digits.len();
        for place in (0..digits.len()).rev() {
            if digits[place] == b'.' {
                continue;
            }
            if rest == 0 && place < digits.len() - 5 {
                break;
            }
            digits[place] = b"0123456789"[usize::try_from(rest % 10).unwrap_or_default()];
            rest /= 10;
            first = place;
        }
        let shown = digits;
        self.put(&shown[first..]);
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        if let Some(room) = self.bytes.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
            self.length = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(timing: Timing) -> String {
        value(&timing).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn times_are_milliseconds_with_three_places() {
        let timing = Timing {
            queue: 0,
            backend: 12_345_678,
            retry: 0,
            gateway: 19,
        };
        assert_eq!(
            shown(timing),
            "queue;dur=0.000, backend;dur=12345.678, gateway;dur=0.019"
        );
        let retried = Timing {
            retry: 1_000,
            ..timing
        };
        assert!(shown(retried).ends_with(", retry;dur=1.000, gateway;dur=0.019"));
    }

    #[test]
    fn no_time_is_too_long_to_be_shown() {
        let longest = Timing {
            queue: u64::MAX,
            backend: u64::MAX,
            retry: u64::MAX,
            gateway: u64::MAX,
        };
        let longest = shown(longest);
        assert!(longest.len() <= ROOM);
        assert!(longest.ends_with("gateway;dur=9999999999.999"), "{longest}");
    }
}
