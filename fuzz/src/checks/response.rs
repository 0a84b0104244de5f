//! The head and the chunks of a backend's response: the same however they come, and no two readings of where a body ends.

use std::str;

use bytes::BytesMut;
use http::StatusCode;

use super::cuts::cut;
use chunks::{Chunks, Next};
use head::{Framing, Head};

#[path = "../../../src/backend/transport/http/chunks.rs"]
mod chunks;
#[path = "../../../src/backend/transport/http/head.rs"]
mod head;

/// A head and, where one is read, the chunks behind it; else the bytes are chunks.
pub(crate) fn response(bytes: &[u8]) {
    let Ok(Some((head, length))) = Head::read(bytes) else {
        return body(bytes);
    };
    for end in 0..length {
        assert_eq!(Head::read(&bytes[..end]), Ok(None), "{end}");
    }
    let (text, behind) = bytes.split_at(length);
    let again = Head::read(text);
    assert_eq!(
        again
            .as_ref()
            .ok()
            .and_then(Option::as_ref)
            .map(|(again, _)| again),
        Some(&head)
    );
    unambiguous(text, &head);
    body(behind);
}

/// Where the body ends is said once, and nobody else can read it otherwise.
fn unambiguous(text: &[u8], head: &Head) {
    let lengths = values(text, "content-length");
    let codings = values(text, "transfer-encoding");
    let has_none = [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&head.status);
    match head.framing {
        Framing::Length(0) if has_none || head.status.is_informational() => {}
        Framing::Length(length) => {
            assert!(!lengths.is_empty() && codings.is_empty());
            assert!(lengths.iter().all(|said| number(said, 10) == Some(length)));
        }
        Framing::Chunked => {
            assert!(lengths.is_empty() && codings.len() == 1);
            assert!(codings[0].eq_ignore_ascii_case("chunked"));
            // Empty lines may come before a head.
            assert!(text.trim_ascii_start().starts_with(b"HTTP/1.1"));
        }
        Framing::Close => assert!(lengths.is_empty() && codings.is_empty() && !head.is_kept),
    }
    let closes = |value: &String| {
        value
            .split(',')
            .any(|it| it.trim().eq_ignore_ascii_case("close"))
    };
    assert!(!(head.is_kept && values(text, "connection").iter().any(closes)));
    assert!(!head.is_interim() || head.framing == Framing::Length(0));
    assert_eq!(
        head.session.is_some(),
        !values(text, "mcp-session-id").is_empty()
    );
}

/// The values of a header as a plain reader of lines finds them.
fn values(head: &[u8], name: &str) -> Vec<String> {
    let lines = head.split(|byte| *byte == b'\n');
    lines
        .filter_map(|line| {
            let at = line.iter().position(|byte| *byte == b':')?;
            let is_it = line[..at].eq_ignore_ascii_case(name.as_bytes());
            is_it.then(|| String::from_utf8_lossy(line[at + 1..].trim_ascii()).into_owned())
        })
        .collect()
}

/// What was read of a chunked body, and how it ended: with so many bytes behind it, not yet, or by a fault.
type Read = (Vec<u8>, Result<Option<usize>, &'static str>);

fn body(text: &[u8]) {
    let whole = read(&[text]);
    for pieces in [cut(text, 1), cut(text, 0xb7), text.chunks(1).collect()] {
        assert_eq!(read(&pieces), whole);
    }
    if let (body, Ok(behind)) = whole {
        assert_eq!(known(text), Some((body, behind)));
    }
    let written = [
        format!("{:x} ;x\r\n", text.len()).as_bytes(),
        text,
        b"\r\n0\r\na: b\r\n\r\nnext",
    ]
    .concat();
    if !text.is_empty() {
        assert_eq!(read(&[&written]), (text.to_vec(), Ok(Some(4))));
    }
}

/// What is here of a chunked body, and how much lies behind it once it has ended; nothing where it breaks a rule.
fn known(mut text: &[u8]) -> Option<(Vec<u8>, Option<usize>)> {
    let mut body = Vec::new();
    loop {
        let Some((line, rest)) = line(text) else {
            return Some((body, None));
        };
        let digits = line?.split(|byte| *byte == b';').next()?.trim_ascii_end();
        let size = number(str::from_utf8(digits).ok()?, 16)?;
        if size == 0 {
            return trailer(rest).map(|behind| (body, behind));
        }
        let (data, rest) = rest.split_at(rest.len().min(usize::try_from(size).ok()?));
        body.extend_from_slice(data);
        if rest.len() < 2 {
            return Some((body, None));
        }
        text = rest.strip_prefix(b"\r\n")?;
    }
}

/// How much lies behind the empty line that ends a body, once that is here.
fn trailer(mut text: &[u8]) -> Option<Option<usize>> {
    while let Some((line, rest)) = line(text) {
        if line?.is_empty() {
            return Some(Some(rest.len()));
        }
        text = rest;
    }
    Some(None)
}

/// A line that has ended, if it ended by the rule, and what lies behind it.
fn line(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some((text[..end].strip_suffix(b"\r"), &text[end + 1..]))
}

/// Digits and nothing else.
fn number(text: &str, radix: u32) -> Option<u64> {
    let digits = text.chars().map(|digit| digit.to_digit(radix));
    let add =
        |sum: u64, digit: Option<u32>| sum.checked_mul(radix.into())?.checked_add(digit?.into());
    digits.fold((!text.is_empty()).then_some(0), |sum, digit| {
        add(sum?, digit)
    })
}

fn read(pieces: &[&[u8]]) -> Read {
    let (mut chunks, mut unread, mut body) = (Chunks::Size, BytesMut::new(), Vec::new());
    for (number, piece) in pieces.iter().enumerate() {
        unread.extend_from_slice(piece);
        loop {
            match chunks.next(&mut unread) {
                Ok(Next::Piece(piece)) => body.extend_from_slice(&piece),
                Ok(Next::More) => break,
                Ok(Next::Over) => {
                    let later: usize = pieces[number + 1..].iter().map(|piece| piece.len()).sum();
                    return (body, Ok(Some(unread.len() + later)));
                }
                Err(reason) => return (body, Err(reason)),
            }
        }
    }
    (body, Ok(None))
}
