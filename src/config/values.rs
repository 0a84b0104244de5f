//! How one scalar becomes one value. Each reader's error ends the sentence "`what was written` ...".

use std::{
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    time::Duration,
};

use crate::{failsafe::duration, protocol::Revision};

/// A truth value.
pub(super) fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Ok(true),
        "false" | "no" | "off" => Ok(false),
        _ => Err("is neither true nor false: write one of the two".to_owned()),
    }
}

/// A whole number within bounds.
pub(super) fn whole<T>(bounds: RangeInclusive<T>) -> impl Fn(&str) -> Result<T, String>
where
    T: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    move |text| {
        text.parse()
            .ok()
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| {
                format!(
                    "is not a whole number from {} to {}: write one",
                    bounds.start(),
                    bounds.end()
                )
            })
    }
}

/// A number with a fraction.
pub(super) fn decimal(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "is not a number: write one such as 2.0".to_owned())
}

/// A length of time; it may be zero.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|_| {
        "is not a duration: write 100ms, 30s, 5m, 1h, or a bare number of seconds".to_owned()
    })
}

/// A length of time that is not zero.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => {
            Err("leaves no time at all: write a duration such as 500ms or 30s".to_owned())
        }
        time => Ok(time),
    }
}

/// An address to bind: an IP address, or `localhost` for the IPv4 loopback.
///
/// # Errors
/// The end of a sentence that begins with the text, if it is neither.
pub fn host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .map_err(|_| {
            "is not an address to bind: write an IP address such as 127.0.0.1 or ::1, or localhost"
                .to_owned()
        })
}

/// A URL with a host, by http or https, without a password in it.
pub(super) fn url(text: &str) -> Result<http::Uri, String> {
    let wrong = || "is not a URL: write one such as https://example.org/mcp".to_owned();
    let url: http::Uri = text.parse().map_err(|_| wrong())?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(wrong());
    }
    let authority = url.authority().ok_or_else(wrong)?;
    if authority.as_str().contains('@') {
        return Err(
            "holds a user name or password, which is never sent: put it into `headers` as Authorization"
                .to_owned(),
        );
    }
    Ok(url)
}

/// A revision of the protocol.
pub(super) fn revision(text: &str) -> Result<Revision, String> {
    Revision::parse(text).ok_or_else(|| {
        let known: Vec<_> = Revision::ALL.iter().map(|known| known.as_str()).collect();
        format!(
            "is no revision that can be spoken to a backend: write one of {}",
            known.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_written_in_any_usual_way() {
        for (text, value) in [("true", true), ("Yes", true), ("off", false), ("no", false)] {
            assert_eq!(flag(text), Ok(value), "{text}");
        }
        assert!(flag("1").is_err());
    }

    #[test]
    fn numbers_keep_to_their_bounds() {
        let port = whole(0..=u16::MAX);
        assert_eq!(port("39400"), Ok(39400));
        for text in ["70000", "-1", "1.5", "", "http"] {
            let error = port(text).unwrap_err();
            assert!(error.contains("from 0 to 65535"), "{error}");
        }
        assert_eq!(decimal("2"), Ok(2.0));
        assert!(decimal("nan").is_err());
    }

    #[test]
    fn some_time_is_more_than_none() {
        assert_eq!(some_time("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        assert!(some_time("0s").is_err());
        assert!(some_time("5 minutes").unwrap_err().contains("100ms"));
    }

    #[test]
    fn a_host_is_an_address_or_localhost() {
        assert_eq!(host("localhost"), Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        assert_eq!(host("[::1]"), Ok("::1".parse().unwrap()));
        assert!(host("example.org").is_err());
    }

    #[test]
    fn a_url_has_a_host_and_no_password() {
        assert!(url("https://example.org:8443/mcp?x=1").is_ok());
        for text in [
            "example.org/mcp",
            "ftp://example.org",
            "http://",
            "",
            "/mcp",
        ] {
            assert!(url(text).unwrap_err().contains("is not a URL"), "{text}");
        }
        let error = url("https://me:hunter2@example.org/").unwrap_err();
        assert!(error.contains("Authorization"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}
