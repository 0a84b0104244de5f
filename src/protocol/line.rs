//! Messages as lines, the framing of the stdio transport (MCP 2025-11-25, basic/transports).

use std::{collections::VecDeque, fmt};

use bytes::Bytes;

use super::overlong::{END, id, keep_end};

/// How many times as long a line may become before it is copied again. What is set aside for it and never written to
/// takes no memory; what it has outgrown does, until the allocator has given it back.
const GROWTH: usize = 8;

/// Cuts a stream of bytes into lines, whatever the chunks. LF ends a line, a CR before it is dropped, blank lines are skipped.
///
/// A line beyond the bound is skipped in flat memory and reported once, and the lines behind it are read as usual.
#[derive(Debug)]
pub struct LineDecoder {
    max: usize,
    line: Vec<u8>,
    /// Bytes of the line so far, those that were not kept included.
    length: usize,
    /// The last of the bytes that were not kept.
    tail: Vec<u8>,
    ready: VecDeque<Result<Bytes, LineTooLong>>,
}

/// A line beyond the bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineTooLong {
    /// Its length, without its end.
    pub bytes: usize,
    /// The bound.
    pub max: usize,
    /// The id of the message in it, as it was written, where the beginning or the end of the line shows one.
    pub id: Option<Bytes>,
}

/// The stream ended inside a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnfinishedLine {
    /// How much of it came.
    pub bytes: usize,
}

impl LineDecoder {
    /// A decoder for lines of up to `max` bytes, their ends not counted.
    #[must_use]
    pub const fn new(max: usize) -> Self {
        Self {
            max,
            line: Vec::new(),
            length: 0,
            tail: Vec::new(),
            ready: VecDeque::new(),
        }
    }

    /// Takes what was read. Take the lines out before pushing more: those that are ready are kept.
    pub fn push(&mut self, chunk: &[u8]) {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            self.extend(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.extend(rest);
    }

    /// Says at the end of the stream whether it broke off inside a line.
    #[must_use]
    pub fn finish(self) -> Option<UnfinishedLine> {
        (self.length > 0).then_some(UnfinishedLine { bytes: self.length })
    }

    /// One byte more than the bound is kept, for it may be the CR of a line that fits.
    fn extend(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        let room = self.max.saturating_add(1).saturating_sub(self.line.len());
        let (kept, skipped) = bytes.split_at(room.min(bytes.len()));
        if self.line.capacity() - self.line.len() < kept.len() {
            let wanted = kept.len().max(GROWTH * self.line.len());
            // The last copy would hold two long ones; so it is made while the line is short.
            let is_last = GROWTH.saturating_mul(self.line.len() + wanted) > self.max;
            self.line.reserve_exact(if is_last { room } else { wanted });
        }
        self.line.extend_from_slice(kept);
        keep_end(&mut self.tail, skipped);
    }

    fn end_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        let tail = std::mem::take(&mut self.tail);
        let mut bytes = std::mem::take(&mut self.length);
        if bytes == line.len() && line.last() == Some(&b'\r') {
            line.pop();
            bytes -= 1;
        }
        if bytes > self.max {
            line.truncate(END);
            self.ready.push_back(Err(LineTooLong {
                bytes,
                max: self.max,
                id: id(line, &tail),
            }));
        } else if !line.trim_ascii().is_empty() {
            self.ready.push_back(Ok(line.into()));
        }
    }
}

/// The lines that are ready; `None` means that more must be pushed first.
impl Iterator for LineDecoder {
    type Item = Result<Bytes, LineTooLong>;

    fn next(&mut self) -> Option<Self::Item> {
        self.ready.pop_front()
    }
}

impl fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "A line of {} bytes is longer than the {} that are taken. It was skipped; later lines are read.",
            self.bytes, self.max
        )
    }
}

impl std::error::Error for LineTooLong {}

/// The middle of a sentence: what became of the stream is told by whoever read it.
impl fmt::Display for UnfinishedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the output ended inside a message, {} bytes after its start",
            self.bytes
        )
    }
}

/// A message as one line with its LF. A line break can only be space between tokens of JSON, so it becomes a blank.
#[must_use]
pub fn encode_line(json: &[u8]) -> Bytes {
    let mut line = Vec::with_capacity(json.len() + 1);
    line.extend_from_slice(json);
    for byte in line
        .iter_mut()
        .filter(|byte| matches!(**byte, b'\n' | b'\r'))
    {
        *byte = b' ';
    }
    line.push(b'\n');
    line.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(max: usize, chunks: &[&[u8]]) -> Vec<Result<Bytes, LineTooLong>> {
        let mut decoder = LineDecoder::new(max);
        chunks
            .iter()
            .flat_map(|chunk| {
                decoder.push(chunk);
                decoder.by_ref().collect::<Vec<_>>()
            })
            .collect()
    }

    #[test]
    fn lines_end_at_lf_or_crlf_and_blank_ones_are_skipped() {
        let lines = decode(9, &[b"one\ntwo\r\n\n \t\r\n\r\nthr\ree\n"]);
        assert_eq!(
            lines,
            [Ok("one".into()), Ok("two".into()), Ok("thr\ree".into())]
        );
    }

    #[test]
    fn an_overlong_line_is_reported_once_in_flat_memory_and_later_lines_work() {
        let mut decoder = LineDecoder::new(64);
        let chunk = [b'x'; 1 << 16];
        for _ in 0..1600 {
            decoder.push(&chunk);
            assert!(decoder.line.capacity() <= 256);
        }
        decoder.push(b"\r\n{\"a\":1}\n");
        let bytes = (1600 << 16) + 1;
        assert_eq!(
            decoder.next(),
            Some(Err(LineTooLong {
                bytes,
                max: 64,
                id: None
            }))
        );
        assert_eq!(decoder.next(), Some(Ok("{\"a\":1}".into())));
        assert_eq!(decoder.next(), None);
    }

    #[test]
    fn an_overlong_line_says_whose_it_is() {
        let id_of = |line: &str| match &decode(40, &[line.as_bytes(), b"\n"])[..] {
            [Err(too_long)] => too_long.id.clone(),
            other => panic!("{other:?}"),
        };
        let long = "x".repeat(1000);
        let first = format!(r#"{{"jsonrpc":"2.0","id":"a","result":"{long}"}}"#);
        assert_eq!(id_of(&first), Some("\"a\"".into()));
        let last = format!(r#"{{"result":"{long}","jsonrpc":"2.0", "id" : 17 }}"#);
        assert_eq!(id_of(&last), Some("17".into()));
        let cut_short = format!(r#"{{"a":"{}","id":12345,"b":"{long}"}}"#, "y".repeat(25));
        assert!(cut_short[..41].ends_with(":123"));
        assert_eq!(id_of(&cut_short), None);
        for nobody in [
            r#""id":7}}"#,
            r#"","id":"7"}"#,
            r#"7}"#,
            r#"","idd":7}"#,
            r#"","b\"id":7}"#,
        ] {
            assert_eq!(
                id_of(&format!(r#"{{"a":"{long}{nobody}"#)),
                None,
                "{nobody}"
            );
        }
    }

    #[test]
    fn the_bound_counts_neither_lf_nor_crlf() {
        let too_long = |bytes| {
            Err(LineTooLong {
                bytes,
                max: 3,
                id: None,
            })
        };
        assert_eq!(
            decode(3, &[b"abc\nabc\r\nabcd\n", b"abc\r", b"\nabcd\r", b"\n"]),
            [
                Ok("abc".into()),
                Ok("abc".into()),
                too_long(4),
                Ok("abc".into()),
                too_long(5)
            ]
        );
    }

    #[test]
    fn half_a_line_at_the_end_is_reported_and_a_whole_one_is_not() {
        let mut decoder = LineDecoder::new(9);
        decoder.push(b"one\ntw");
        assert_eq!(decoder.next(), Some(Ok("one".into())));
        assert_eq!(decoder.finish(), Some(UnfinishedLine { bytes: 2 }));
        let mut decoder = LineDecoder::new(9);
        decoder.push(b"one\n");
        assert_eq!(decoder.finish(), None);
    }

    #[test]
    fn a_message_becomes_one_line() {
        assert_eq!(encode_line(b"{\r\n\"a\":\n1}"), "{  \"a\": 1}\n");
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            stream in prop::collection::vec(prop::sample::select(&b"ab\r\n\n "[..]), 0..80), size in 1usize..9, max in 1usize..9,
        ) {
            let chunks: Vec<_> = stream.chunks(size).collect();
            prop_assert_eq!(decode(max, &chunks), decode(max, &[&stream]));
        }

        #[test]
        fn every_line_comes_back(lines in prop::collection::vec("[a-z{}]{1,20}", 0..8)) {
            let stream: Vec<u8> = lines.iter().flat_map(|line| encode_line(line.as_bytes())).collect();
            let expected: Vec<_> = lines.into_iter().map(|line| Ok(Bytes::from(line))).collect();
            prop_assert_eq!(decode(20, &[&stream]), expected);
        }
    }
}
