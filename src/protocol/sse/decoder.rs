//! Gathers the fields of each event and hands it out at the blank line that ends it.

use std::{collections::VecDeque, fmt, time::Duration};

use bytes::Bytes;

use super::lines::Lines;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTooLarge {
    /// The length of its lines, without their ends.
    pub bytes: usize,
    /// The bound.
    pub max: usize,
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
                ready: VecDeque::new(),
            },
        }
    }

    /// Takes what was read. Take the events out before pushing more: those that are ready are kept.
    pub fn push(&mut self, chunk: &[u8]) {
        let reading = &mut self.reading;
        self.lines
            .push(chunk, |line, length| reading.line(line, length));
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
    fn line(&mut self, line: &[u8], length: usize) {
        if length == 0 {
            return self.dispatch();
        }
        if line.first() == Some(&b':') {
            return;
        }
        self.size = self.size.saturating_add(length);
        if self.size > self.max {
            self.data = None;
            self.event = None;
            return;
        }
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (name, rest) = line.split_at(colon);
        let value = rest.strip_prefix(b":").unwrap_or_default();
        self.field(name, value.strip_prefix(b" ").unwrap_or(value));
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
        if bytes > self.max {
            let max = self.max;
            return self.ready.push_back(Err(EventTooLarge { bytes, max }));
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
