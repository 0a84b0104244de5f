//! What a client takes and what it sends: `Accept` and `Content-Type`.

use http::{HeaderMap, header};

use super::headers;
use crate::gateway::Refusal;

/// What nearly every client sends (MCP, Streamable HTTP, sending messages to the server).
const BOTH: &str = "application/json, text/event-stream";

/// The kinds of answer a client takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Accepted {
    /// `application/json` or `application/*`, by name.
    pub(super) json: bool,
    /// `text/event-stream` or `text/*`, by name: a stream is never sent to who merely takes anything.
    pub(super) stream: bool,
    /// `text/plain` or `text/*`, by name.
    pub(super) text: bool,
    /// `*/*`, or no `Accept` at all.
    any: bool,
}

impl Accepted {
    /// Reads all `Accept` headers (RFC 9110, section 12.5.1). A quality of 0 means "not that".
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut given = headers.get_all(header::ACCEPT).iter();
        if given.next().is_some_and(|given| given == BOTH) && given.next().is_none() {
            return Self {
                json: true,
                stream: true,
                ..Self::default()
            };
        }
        let mut accepted = Self {
            any: !headers.contains_key(header::ACCEPT),
            ..Self::default()
        };
        let given = headers.get_all(header::ACCEPT).iter();
        for range in given
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
        {
            accepted.add(range);
        }
        accepted
    }

    fn add(&mut self, range: &str) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        if parts.any(is_refused) {
            return;
        }
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        self.any |= is("*/*");
        self.json |= is("application/json") || is("application/*");
        self.text |= is("text/plain") || is("text/*");
        self.stream |= is("text/event-stream") || is("text/*");
    }

    /// Whether a JSON answer may be sent.
    pub(super) const fn takes_json(self) -> bool {
        self.json || self.any
    }

    /// Refuses a POST whose client takes neither kind of answer.
    pub(super) fn check_post(self, headers: &HeaderMap) -> Result<Self, Refusal> {
        self.check(self.takes_json() || self.stream, headers)
    }

    /// Refuses a GET on an MCP endpoint whose client does not take a stream.
    pub(super) fn check_listen(self, headers: &HeaderMap) -> Result<Self, Refusal> {
        self.check(self.stream || self.any, headers)
    }

    fn check(self, fits: bool, headers: &HeaderMap) -> Result<Self, Refusal> {
        if fits {
            return Ok(self);
        }
        let given = headers::text(headers, &header::ACCEPT).unwrap_or_default();
        Err(Refusal::NotAcceptable(given.into()))
    }
}

fn is_refused(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    name.trim().eq_ignore_ascii_case("q")
        && value
            .trim()
            .parse::<f32>()
            .is_ok_and(|quality| quality <= 0.0)
}

/// Refuses a body that says it is not JSON. One that says nothing is read.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let given = value.to_str().unwrap_or("unreadable");
    let kind = given.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(Refusal::UnsupportedMediaType(given.into()))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn accept(lines: &[&'static str]) -> (bool, bool) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::ACCEPT, HeaderValue::from_static(line));
        }
        let accepted = Accepted::of(&headers);
        (accepted.takes_json(), accepted.stream)
    }

    #[test]
    fn a_stream_is_used_only_where_it_is_asked_for_by_name() {
        assert_eq!(accept(&[]), (true, false));
        assert_eq!(accept(&["*/*"]), (true, false));
        assert_eq!(
            accept(&["application/json, text/event-stream"]),
            (true, true)
        );
        assert_eq!(
            accept(&["Application/JSON", "Text/Event-Stream;q=0.5"]),
            (true, true)
        );
        assert_eq!(accept(&["text/event-stream"]), (false, true));
    }

    #[test]
    fn a_quality_of_zero_is_a_refusal() {
        assert_eq!(
            accept(&["application/json;q=0, text/event-stream"]),
            (false, true)
        );
        assert_eq!(accept(&["application/json; Q = 0.000"]), (false, false));
        assert_eq!(accept(&["application/json;q=0.001"]), (true, false));
    }

    #[test]
    fn a_client_that_takes_neither_is_told_what_it_sent() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/html"));
        let refused = Accepted::of(&headers).check_post(&headers);
        assert_eq!(refused, Err(Refusal::NotAcceptable("text/html".into())));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        assert!(Accepted::of(&headers).check_post(&headers).is_ok());
        assert!(Accepted::of(&headers).check_listen(&headers).is_err());
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        assert!(Accepted::of(&headers).check_listen(&headers).is_ok());
    }

    #[test]
    fn only_a_type_that_is_said_and_is_not_json_is_refused() {
        let check = |given: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(given));
            check_content_type(&headers)
        };
        assert_eq!(check_content_type(&HeaderMap::new()), Ok(()));
        assert_eq!(check("application/json"), Ok(()));
        assert_eq!(check("Application/Json; charset=utf-8"), Ok(()));
        for foreign in ["text/plain", "application/x-www-form-urlencoded", ""] {
            let refused = Refusal::UnsupportedMediaType(foreign.into());
            assert_eq!(check(foreign), Err(refused));
        }
    }
}
