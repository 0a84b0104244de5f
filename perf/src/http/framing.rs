//! Where does the first message in these bytes end, and what does it say?

use std::{borrow::Cow, io, str};

use memchr::memmem;

/// One whole message: its head, its body without any framing, and how many bytes both took.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) head: &'a [u8],
    pub(crate) body: Cow<'a, [u8]>,
    pub(crate) length: usize,
}

impl Message<'_> {
    /// The status of an answer; 0 where there is none.
    pub(crate) fn status(&self) -> u16 {
        let code = self
            .head
            .get(9..12)
            .and_then(|code| str::from_utf8(code).ok());
        code.and_then(|code| code.parse().ok()).unwrap_or(0)
    }
}

/// The first message, once all of it has come.
///
/// # Errors
/// A length or a chunk size that is none, or a chunk that does not end where its size says.
pub(crate) fn first(bytes: &[u8]) -> io::Result<Option<Message<'_>>> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let (head, rest) = bytes.split_at(end + 4);
    let framed = if header(head, "transfer-encoding").is_some() {
        chunked(rest)?
    } else {
        let length = header(head, "content-length").unwrap_or("0");
        let length: usize = length.parse().map_err(io::Error::other)?;
        rest.get(..length).map(|body| (Cow::Borrowed(body), length))
    };
    Ok(framed.map(|(body, length)| Message {
        head,
        body,
        length: head.len() + length,
    }))
}

/// A header's value.
pub(crate) fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    let value = head.split(|byte| *byte == b'\n').find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        found.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    })?;
    str::from_utf8(value).ok().map(str::trim)
}

/// The body that these chunks make and the bytes that they take, once the last has come.
fn chunked(bytes: &[u8]) -> io::Result<Option<(Cow<'_, [u8]>, usize)>> {
    let mut body = Cow::Borrowed(&bytes[..0]);
    let mut at = 0;
    loop {
        let Some((chunk, next)) = chunk(bytes, at)? else {
            return Ok(None);
        };
        at = next;
        if chunk.is_empty() {
            return Ok(Some((body, at)));
        }
        if body.is_empty() {
            body = Cow::Borrowed(chunk);
        } else {
            body.to_mut().extend_from_slice(chunk);
        }
    }
}

/// The chunk that begins at `at`, and where the next one does.
fn chunk(bytes: &[u8], at: usize) -> io::Result<Option<(&[u8], usize)>> {
    let rest = &bytes[at..];
    let Some(line) = memmem::find(rest, b"\r\n") else {
        return Ok(None);
    };
    let size = str::from_utf8(&rest[..line]).map_err(io::Error::other)?;
    let size = size.split(';').next().unwrap_or_default().trim();
    let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
    let start = line + 2;
    let Some(end) = rest.get(start + size..start + size + 2) else {
        return Ok(None);
    };
    if end != b"\r\n" {
        return Err(io::Error::other("a chunk does not end where its size says"));
    }
    Ok(Some((&rest[start..start + size], at + start + size + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> (String, usize) {
        let message = first(text.as_bytes()).unwrap().unwrap();
        let body = String::from_utf8(message.body.into_owned()).unwrap();
        (body, message.length)
    }

    #[test]
    fn a_message_is_read_once_its_last_byte_has_come_and_what_follows_is_left() {
        for message in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ] {
            for end in 0..message.len() {
                assert!(first(&message.as_bytes()[..end]).unwrap().is_none());
            }
            assert_eq!(whole(message), ("hello".to_owned(), message.len()));
            assert_eq!(whole(&format!("{message}HTTP/1.1")).1, message.len());
        }
    }

    #[test]
    fn a_message_without_a_length_has_no_body_and_header_names_have_no_case() {
        let message = first(b"HTTP/1.1 202 Accepted\r\nmcp-session-ID:  7 \r\n\r\n")
            .unwrap()
            .unwrap();
        assert_eq!((message.status(), message.body.len()), (202, 0));
        assert_eq!(header(message.head, "Mcp-Session-Id"), Some("7"));
        assert_eq!(header(message.head, "Mcp-Session"), None);
    }

    #[test]
    fn a_wrong_chunk_size_is_an_error() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for chunks in ["zz\r\nhello\r\n", "4\r\nhello\r\n0\r\n\r\n"] {
            assert!(first(format!("{head}{chunks}").as_bytes()).is_err());
        }
    }
}
