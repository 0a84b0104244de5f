//! How a length of time is written in a configuration: `100ms`, `30s`, `5m`, `1h`, or a bare number of seconds.

use std::{fmt, time::Duration};

use serde::{
    Deserializer,
    de::{Error, Visitor},
};

/// A text that is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DurationError {
    text: String,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a duration: write a whole number and its unit, as in 100ms, 30s, 5m or 1h (a bare number means seconds)",
            self.text
        )
    }
}

impl std::error::Error for DurationError {}

/// Reads a length of time: a whole number followed by `ms`, `s`, `m` or `h`; without a unit it counts seconds.
///
/// # Errors
/// If the text is anything else, or longer than 2^64 milliseconds.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = trimmed.split_at(digits);
    number
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(millis_per(unit)?))
        .map(Duration::from_millis)
        .ok_or_else(|| DurationError {
            text: text.to_owned(),
        })
}

fn millis_per(unit: &str) -> Option<u64> {
    match unit {
        "ms" => Some(1),
        "s" | "" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    }
}

/// Reads a length of time for `#[serde(deserialize_with)]` or `#[serde(with)]`: a text, or a whole number of seconds.
///
/// # Errors
/// If the value is neither, with the sentence of [`DurationError`].
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Text)
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as 100ms, 30s, 5m or 1h, or a whole number of seconds")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Probe {
        #[serde(with = "super")]
        wait: Duration,
    }

    #[test]
    fn each_unit_is_read() {
        for (text, millis) in [
            ("100ms", 100),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("90", 90_000),
            (" 2s ", 2_000),
            ("0ms", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_forms_that_are_right() {
        for text in [
            "",
            "s",
            "5x",
            "-1s",
            "1.5s",
            "5 m",
            "1h30m",
            "99999999999999999999",
            "18446744073709551615h",
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{text}` is not a duration")),
                "{error}"
            );
            assert!(error.contains("100ms, 30s, 5m or 1h"), "{error}");
        }
    }

    #[test]
    fn a_configuration_may_say_text_or_seconds() {
        for (said, millis) in [(r#"{"wait":"250ms"}"#, 250), (r#"{"wait":1}"#, 1_000)] {
            let probe: Probe = serde_json::from_str(said).unwrap();
            assert_eq!(probe.wait, Duration::from_millis(millis), "{said}");
        }
        for wrong in [r#"{"wait":-1}"#, r#"{"wait":"soon"}"#, r#"{"wait":true}"#] {
            assert!(serde_json::from_str::<Probe>(wrong).is_err(), "{wrong}");
        }
    }
}
