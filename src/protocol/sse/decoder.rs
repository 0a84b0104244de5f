//! Gathers the fields of each event and hands it out at the blank line that ends it.

use std::{collections::VecDeque, fmt, time::Duration};

use bytes::Bytes;

use super::lines::Lines;
use crate::protocol::overlong::Ends;

/// Cuts a stream of bytes into events, whatever the chunks.
///
/// An event beyond the bound is skipped in flat memory and reported once, and the events behind it are read as usual.
/// What the stream leaves unfinished at its end is no event.
#[derive(Debug)]
pub struct SseDecoder {
    lines: Lines,
    reading: Reading,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// Its type; `message` if the stream names none.
    pub event: Option<Box<str>>,
    /// Its data as it came, lines joined by LF. Empty in an event that only opens a stream.
    pub data: Bytes,
    /// The id that was set since the last event.
    pub id: Option<Box<str>>,
    /// The time to wait before reconnecting that was set since the last event.
    pub retry: Option<Duration>,
}

/// An event beyond the bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventTooLarge {
    /// The length of its lines, without their ends.
    pub bytes: usize,
    /// The bound.
    pub max: usize,
    /// The id of the message in it, as it was written, where its beginning or its end shows one.
    pub id: Option<Bytes>,
    /// Whether that message may be an answer; a request or a notification shows its method.
    pub may_answer: bool,
}

/// The event that is being read, and those that are ready.
#[derive(Debug)]
struct Reading {
    max: usize,
    size: usize,
    event: Option<Box<str>>,
    data: Option<Vec<u8>>,
    id: Option<Box<str>>,
    retry: Option<Duration>,
    /// Of an event beyond the bound, the ends of its data.
    ends: Option<Ends>,
    ready: VecDeque<Result<SseEvent, EventTooLarge>>,
}

impl SseDecoder {
    /// A decoder for events whose lines have up to `max_event_bytes` bytes together.
    #[must_use]
    pub const fn new(max_event_bytes: usize) -> Self {
        Self {
            lines: Lines::new(max_event_bytes),
            reading: Reading {
                max: max_event_bytes,
                size: 0,
                event: None,
                data: None,
                id: None,
                retry: None,
                ends: None,
                ready: VecDeque::new(),
            },
        }
    }

    /// Takes what was read. Take the events out before pushing more: those that are ready are kept.
    pub fn push(&mut self, chunk: &[u8]) {
        let reading = &mut self.reading;
        self.lines
            .push(chunk, |line, tail, length| reading.line(line, tail, length));
    }
}

/// The events that are ready; `None` means that more must be pushed first.
impl Iterator for SseDecoder {
    type Item = Result<SseEvent, EventTooLarge>;

    fn next(&mut self) -> Option<Self::Item> {
        self.reading.ready.pop_front()
    }
}

impl Reading {
    fn line(&mut self, line: &[u8], tail: &[u8], length: usize) {
        if length == 0 {
            return self.dispatch();
        }
        if line.first() == Some(&b':') {
            return;
        }
        self.size = self.size.saturating_add(length);
        if self.size > self.max {
            return self.pass_over(line, tail);
        }
        let (name, value) = halves(line);
        self.field(name, value);
    }

    /// Keeps nothing of an event beyond the bound but the ends of its data.
    fn pass_over(&mut self, line: &[u8], tail: &[u8]) {
        self.event = None;
        let data = self.data.take();
        let ends = self.ends.get_or_insert_default();
        ends.extend(&data.unwrap_or_default());
        if let (b"data", value) = halves(line) {
            ends.extend(value);
            ends.extend_behind_gap(tail);
        }
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                None => self.data = Some(value.to_vec()),
            },
            b"event" => self.event = Some(text(value)),
            b"id" if !value.contains(&0) => self.id = Some(text(value)),
            b"retry" => self.retry = milliseconds(value).or(self.retry),
            _ => {}
        }
    }

    fn dispatch(&mut self) {
        let bytes = std::mem::take(&mut self.size);
        let event = self.event.take().filter(|event| !event.is_empty());
        let data = self.data.take();
        if let Some(ends) = self.ends.take() {
            return self.ready.push_back(Err(EventTooLarge {
                bytes,
                max: self.max,
                id: ends.id(),
                may_answer: ends.may_answer(),
            }));
        }
        let Some(data) = data else { return };
        self.ready.push_back(Ok(SseEvent {
            event,
            data: data.into(),
            id: self.id.take(),
            retry: self.retry.take(),
        }));
    }
}

/// A field's name and value.
fn halves(line: &[u8]) -> (&[u8], &[u8]) {
    let colon = memchr::memchr(b':', line).unwrap_or(line.len());
    let (name, rest) = line.split_at(colon);
    let value = rest.strip_prefix(b":").unwrap_or_default();
    (name, value.strip_prefix(b" ").unwrap_or(value))
}

fn text(value: &[u8]) -> Box<str> {
    String::from_utf8_lossy(value).into()
}

fn milliseconds(value: &[u8]) -> Option<Duration> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(value).ok().filter(|_| digits)?;
    number.parse().ok().map(Duration::from_millis)
}

impl fmt::Display for EventTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "An event of {} bytes is larger than the {} that are taken. It was skipped; later events are read.",
            self.bytes, self.max
        )
    }
}

impl std::error::Error for EventTooLarge {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::encode_sse;

    fn decode(max: usize, chunks: &[&[u8]]) -> Vec<Result<SseEvent, EventTooLarge>> {
        let mut decoder = SseDecoder::new(max);
        chunks
            .iter()
            .flat_map(|chunk| {
                decoder.push(chunk);
                decoder.by_ref().collect::<Vec<_>>()
            })
            .collect()
    }

    fn data(stream: &str) -> Vec<Bytes> {
        let events = decode(1000, &[stream.as_bytes()]);
        events
            .into_iter()
            .map(|event| event.unwrap().data)
            .collect()
    }

    #[test]
    fn the_examples_of_the_standard_read_as_it_says() {
        assert_eq!(data("data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
        let stream = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
        let events: Vec<_> = decode(1000, &[stream])
            .into_iter()
            .map(Result::unwrap)
            .map(|event| (event.data, event.id))
            .collect();
        assert_eq!(
            events,
            [
                ("first event".into(), Some("1".into())),
                ("second event".into(), Some("".into())),
                (" third event".into(), None)
            ]
        );
        assert_eq!(data("data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
        assert_eq!(data("data:test\n\ndata: test\n\n"), ["test", "test"]);
    }

    #[test]
    fn lf_cr_and_crlf_end_lines_and_a_byte_order_mark_is_dropped() {
        assert_eq!(
            data("\u{FEFF}data: a\r\rdata: b\n\ndata: c\r\n\r\ndata: d\r\n\ndata: e\n\r"),
            ["a", "b", "c", "d", "e"]
        );
        assert_eq!(data("\n\u{FEFF}data: late\n\n"), [""; 0]);
    }

    #[test]
    fn an_empty_event_that_opens_the_stream_carries_its_id_and_retry() {
        let events = decode(1000, &[b"id: 7\nretry: 3000\ndata:\n\n"]);
        assert_eq!(
            events,
            [Ok(SseEvent {
                event: None,
                data: Bytes::new(),
                id: Some("7".into()),
                retry: Some(Duration::from_secs(3)),
            })]
        );
    }

    #[test]
    fn without_data_there_is_no_event_but_its_id_counts() {
        let events = decode(1000, &[b"id: 7\nevent: ping\n\ndata: x\n\n"]);
        let event = events[0].as_ref().unwrap();
        assert_eq!(
            (
                events.len(),
                &*event.data,
                event.id.as_deref(),
                &event.event
            ),
            (1, &b"x"[..], Some("7"), &None)
        );
    }

    #[test]
    fn fields_that_break_a_rule_are_ignored() {
        let stream = b"retry: 5s\nretry: -1\nretry:\nid: a\0b\nDATA: no\nfoo: bar\n:comment\nevent: message\ndata: x\n\n";
        let event = decode(1000, &[stream]).remove(0).unwrap();
        assert_eq!(
            (event.id, event.retry, event.event.as_deref()),
            (None, None, Some("message"))
        );
    }

    #[test]
    fn an_event_beyond_the_bound_shows_whose_answer_it_is() {
        let long = "x".repeat(2_000);
        let at_the_end = format!("event: message\ndata: {{\"result\":\"{long}\",\"id\":7}}\n\n");
        let in_lines = format!("data: {{\"id\":7,\ndata: \"result\":\ndata: \"{long}\"}}\n\n");
        let none = format!("data: {{\"method\":\"m\",\"params\":\"{long}\"}}\n\ndata: 1\n\n");
        for (stream, id, may_answer) in [
            (at_the_end, Some("7".into()), true),
            (in_lines, Some("7".into()), true),
            (none, None, false),
        ] {
            for max in [20, 500] {
                let too_large = decode(max, &[stream.as_bytes()]).remove(0).unwrap_err();
                let known = (too_large.id, too_large.may_answer);
                assert_eq!(known, (id.clone(), may_answer), "{max} {stream:.40}");
            }
        }
    }

    #[test]
    fn an_event_beyond_the_bound_is_reported_once_and_later_ones_are_read() {
        let too_large = |bytes| {
            Err(EventTooLarge {
                bytes,
                max: 10,
                id: None,
                may_answer: true,
            })
        };
        let ok = |data: &'static str| {
            Ok(SseEvent {
                data: data.into(),
                ..SseEvent::default()
            })
        };
        assert_eq!(
            decode(
                10,
                &[b"data: 1234567\n\ndata: 1234\n\ndata:1\ndata:2\n\ndata:\n\n"]
            ),
            [too_large(13), ok("1234"), too_large(12), ok("")]
        );
    }

    #[test]
    fn memory_stays_flat_on_an_endless_line() {
        let mut decoder = SseDecoder::new(64);
        decoder.push(b"data: ");
        for _ in 0..1600 {
            decoder.push(&[b'x'; 1 << 16]);
        }
        assert!(decoder.lines.kept() <= 64 + 3);
        decoder.push(b"\n\ndata: y\n\n");
        assert_eq!(decoder.next().unwrap().unwrap_err().bytes, (1600 << 16) + 6);
        assert_eq!(decoder.next().unwrap().unwrap().data, "y");
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            pieces in prop::collection::vec(prop::sample::select(
                &["data: é€", "data:", "id: 1", "retry: 9", "event: x", ":c", "\r", "\n", "\r\n", "\n\n", "\u{FEFF}", "x"][..]), 0..30),
            size in 1usize..9, max in 1usize..40,
        ) {
            let stream = pieces.concat().into_bytes();
            let chunks: Vec<_> = stream.chunks(size).collect();
            prop_assert_eq!(decode(max, &chunks), decode(max, &[&stream]));
        }

        #[test]
        fn bytes_of_any_kind_never_panic(stream in prop::collection::vec(any::<u8>(), 0..200), max in 0usize..40) {
            decode(max, &[&stream]);
        }

        #[test]
        fn what_is_written_as_an_event_reads_back(text in "[^\r\n]{0,40}(\n[^\r\n]{0,9}){0,3}", id in prop::option::of("[a-z0-9-]{1,9}")) {
            let event = decode(10_000, &[&encode_sse(text.as_bytes(), id.as_deref())]).remove(0).unwrap();
            prop_assert_eq!(&event.data[..], text.as_bytes());
            prop_assert_eq!(event.id.as_deref(), id.as_deref());
        }
    }
}
