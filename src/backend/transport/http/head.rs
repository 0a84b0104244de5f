//! The head of a response: the little of it that is read, and where its body ends (RFC 9112).

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use httparse::{EMPTY_HEADER, Header, Status};

/// Header lines of one response.
const MOST_LINES: usize = 100;

/// The head of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    /// Whether its body is an event stream.
    pub(super) is_stream: bool,
    /// `Mcp-Session-Id`.
    pub(super) session: Option<HeaderValue>,
    pub(super) retry_after: Option<Duration>,
    pub(super) framing: Framing,
    /// Whether the connection may carry another request once the body has been read.
    pub(super) is_kept: bool,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes.
    Length(u64),
    /// After a chunk without bytes.
    Chunked,
    /// With the connection.
    Close,
}

/// The header lines that are read.
#[derive(Default)]
struct Lines<'a> {
    content_type: &'a [u8],
    length: Option<&'a [u8]>,
    encoding: Option<&'a [u8]>,
    closes: bool,
    keeps: bool,
    session: Option<&'a [u8]>,
    retry_after: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
}

impl Head {
    /// Reads the head with which `text` begins, and its length in bytes; nothing where it is not whole yet.
    ///
    /// # Errors
    /// Says what is wrong with it. A head that leaves it open where its body ends is refused: whoever guesses may take one
    /// call's answer for another's.
    pub(super) fn read(text: &[u8]) -> Result<Option<(Self, usize)>, &'static str> {
        let mut lines = [EMPTY_HEADER; MOST_LINES];
        let mut response = httparse::Response::new(&mut lines);
        let length = match response.parse(text) {
            Ok(Status::Complete(length)) => length,
            Ok(Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err("its head has too many lines"),
            Err(_) => return Err("its head is no HTTP"),
        };
        let status = response
            .code
            .and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.ok_or("its status is none")?;
        let is_new = response.version == Some(1);
        let lines = Lines::read(response.headers)?;
        let framing = lines.framing(status, is_new)?;
        let head = Self {
            status,
            is_stream: is(lines.content_type, "text/event-stream"),
            session: lines
                .session
                .and_then(|id| HeaderValue::from_bytes(id).ok()),
            retry_after: lines.retry_after(),
            framing,
            is_kept: !lines.closes && (is_new || lines.keeps) && framing != Framing::Close,
        };
        Ok(Some((head, length)))
    }

    /// Whether another head follows, and this one says nothing (RFC 9110, section 15.2).
    pub(super) fn is_interim(&self) -> bool {
        self.status.is_informational() && self.status != StatusCode::SWITCHING_PROTOCOLS
    }
}

impl<'a> Lines<'a> {
    fn read(lines: &[Header<'a>]) -> Result<Self, &'static str> {
        let mut read = Self::default();
        for Header { name, value } in lines {
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            if is("content-length") {
                if read.length.is_some_and(|earlier| earlier != *value) {
                    return Err("its head gives two lengths");
                }
                read.length = Some(value);
            } else if is("transfer-encoding") {
                // Of two lines the first cannot be plain `chunked`, which comes last and once.
                let first = read.encoding.replace(value);
                read.encoding = first.map_or(read.encoding, |_| Some(b"two codings"));
            } else if is("content-type") {
                read.content_type = value;
            } else if is("connection") {
                read.closes |= names(value, "close");
                read.keeps |= names(value, "keep-alive");
            } else if is("mcp-session-id") {
                read.session = Some(value);
            } else if is("retry-after") {
                read.retry_after = Some(value);
            } else if is("date") {
                read.date = Some(value);
            }
        }
        Ok(read)
    }

    /// RFC 9112, section 6.3. A length beside a coding, and a coding that we did not ask for, are refused.
    fn framing(&self, status: StatusCode, is_new: bool) -> Result<Framing, &'static str> {
        let has_none = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
        if has_none || status.is_informational() {
            return Ok(Framing::Length(0));
        }
        match (self.encoding, self.length) {
            (Some(_), Some(_)) => Err("its head gives a length and a transfer coding"),
            (Some(coding), None) if is_new && coding.eq_ignore_ascii_case(b"chunked") => {
                Ok(Framing::Chunked)
            }
            (Some(_), None) => Err("its body is in a transfer coding that was not asked for"),
            (None, Some(length)) => digits(length)
                .map(Framing::Length)
                .ok_or("its length is no number"),
            (None, None) => Ok(Framing::Close),
        }
    }

    /// `Retry-After` in seconds; the form with a date is taken relative to the response's own `Date`.
    fn retry_after(&self) -> Option<Duration> {
        let value = self.retry_after?.trim_ascii();
        if let Some(seconds) = digits(value) {
            return Some(Duration::from_secs(seconds));
        }
        let date = |value| httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok();
        date(value)?.duration_since(date(self.date?)?).ok()
    }
}

/// A number of digits and nothing else; `str::parse` would take a sign too.
fn digits(text: &[u8]) -> Option<u64> {
    let digits = text.trim_ascii();
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_number)?
        .parse()
        .ok()
}

/// Whether a header is this media type, whatever its parameters.
fn is(value: &[u8], media_type: &str) -> bool {
    let kind = value.split(|byte| *byte == b';').next().unwrap_or_default();
    kind.trim_ascii()
        .eq_ignore_ascii_case(media_type.as_bytes())
}

/// Whether a header is a list that has this entry.
fn names(value: &[u8], entry: &str) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|item| item.trim_ascii().eq_ignore_ascii_case(entry.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Result<Option<(Head, usize)>, &'static str> {
        Head::read(text.as_bytes())
    }

    fn whole(lines: &str) -> Head {
        head(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n"))
            .unwrap()
            .unwrap()
            .0
    }

    fn refused(text: &str) -> &'static str {
        head(text).unwrap_err()
    }

    #[test]
    fn a_head_is_read_once_it_is_whole_and_what_follows_is_left() {
        let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nMCP-Session-Id: s-1\r\n\r\nhello";
        let (read, length) = head(text).unwrap().unwrap();
        assert_eq!(
            (&text[length..], read.framing),
            ("hello", Framing::Length(5))
        );
        assert_eq!(read.session.unwrap(), "s-1");
        assert!(read.is_kept && !read.is_stream);
        for end in 0..length {
            assert_eq!(head(&text[..end]), Ok(None), "{end}");
        }
    }

    #[test]
    fn a_media_type_is_compared_without_its_parameters() {
        assert!(whole("Content-Type: Text/Event-Stream; charset=utf-8\r\n").is_stream);
        assert!(!whole("Content-Type: application/json\r\n").is_stream);
    }

    #[test]
    fn where_the_body_ends_is_said_once_or_not_at_all() {
        assert_eq!(
            whole("Transfer-Encoding: Chunked\r\n").framing,
            Framing::Chunked
        );
        assert_eq!(whole("").framing, Framing::Close);
        assert_eq!(
            whole("Content-Length: 3\r\nContent-Length: 3\r\n").framing,
            Framing::Length(3)
        );
        for lines in [
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Content-Length: -3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
        ] {
            refused(&format!("HTTP/1.1 200 OK\r\n{lines}\r\n"));
        }
        refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    }

    #[test]
    fn a_status_that_has_no_body_has_none_whatever_its_length_says() {
        for status in ["204 No Content", "304 Not Modified", "100 Continue"] {
            let text = format!("HTTP/1.1 {status}\r\nContent-Length: 7\r\n\r\n");
            assert_eq!(head(&text).unwrap().unwrap().0.framing, Framing::Length(0));
        }
    }

    #[test]
    fn what_is_no_http_is_refused_and_so_is_a_head_without_end() {
        for text in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 2000 OK\r\n\r\n",
            "HTTP/1.1 99 Low\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            "HTTP/1.1 200 OK\r\nName : x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nName: a\0b\r\n\r\n",
        ] {
            refused(text);
        }
        let many = "x: y\r\n".repeat(MOST_LINES + 1);
        refused(&format!("HTTP/1.1 200 OK\r\n{many}\r\n"));
    }

    #[test]
    fn a_connection_is_kept_unless_somebody_says_otherwise() {
        let kept = |version: &str, connection: &str| {
            let text = format!("HTTP/{version} 200 OK\r\nContent-Length: 0\r\n{connection}\r\n");
            head(&text).unwrap().unwrap().0.is_kept
        };
        assert!(kept("1.1", ""));
        assert!(!kept("1.1", "Connection: x, Close\r\n"));
        assert!(!kept("1.0", ""));
        assert!(kept("1.0", "Connection: keep-alive\r\n"));
        assert!(!whole("").is_kept);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(whole("").retry_after, None);
        assert_eq!(
            whole("Retry-After: 7\r\n").retry_after,
            Some(Duration::from_secs(7))
        );
        let dates =
            "Retry-After: Sun, 06 Nov 1994 08:50:00 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
        assert_eq!(whole(dates).retry_after, Some(Duration::from_secs(23)));
        assert_eq!(whole("Retry-After: soon\r\n").retry_after, None);
    }
}
