//! Decoders find the events and lines that the rules say, however the stream is cut, and read back what is written.

use std::{str, time::Duration};

use bytes::Bytes;

use super::cuts::cut;
use crate::protocol::{
    EventTooLarge, LineDecoder, LineTooLong, Message, SseDecoder, SseEvent, UnfinishedLine,
    encode_line, encode_sse,
};

type Events = Vec<Result<SseEvent, EventTooLarge>>;
type Lines = Vec<Result<Bytes, LineTooLong>>;

/// The first byte is the bound, the second says how the rest is cut.
pub(crate) fn framing(bytes: &[u8]) {
    let [max, seed, stream @ ..] = bytes else {
        return;
    };
    let max = match *max {
        u8::MAX => usize::MAX,
        max => usize::from(max),
    };
    let (whole, pieces) = ([stream], cut(stream, *seed));
    let bytewise: Vec<&[u8]> = stream.chunks(1).collect();
    let (known_events, known_lines) = (events(stream, max), lines(stream, max));
    for pieces in [&whole[..], &pieces, &bytewise] {
        assert_eq!(decoded_events(pieces, max), known_events);
        let (decoded, rest) = decoded_lines(pieces, max);
        assert_eq!(decoded.len(), known_lines.len());
        for (line, known) in decoded.iter().zip(&known_lines) {
            same_line(line, known, max);
        }
        let unfinished = stream.rsplit(|byte| *byte == b'\n').next();
        assert_eq!(rest, unfinished.map_or(0, <[u8]>::len));
    }
    written(stream);
}

fn decoded_events(pieces: &[&[u8]], max: usize) -> Events {
    let (mut decoder, mut events) = (SseDecoder::new(max), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        events.extend(decoder.by_ref().map(whoever));
    }
    events
}

/// What is told of the message in an event that is too large is another question.
fn whoever(event: Result<SseEvent, EventTooLarge>) -> Result<SseEvent, EventTooLarge> {
    event.map_err(|EventTooLarge { bytes, max, .. }| too_large(bytes, max))
}

fn too_large(bytes: usize, max: usize) -> EventTooLarge {
    EventTooLarge {
        bytes,
        max,
        id: None,
        may_answer: true,
    }
}

/// The lines, and how many bytes lie behind the last of them.
fn decoded_lines(pieces: &[&[u8]], max: usize) -> (Lines, usize) {
    let (mut decoder, mut lines) = (LineDecoder::new(max), Vec::new());
    for piece in pieces {
        decoder.push(piece);
        lines.extend(decoder.by_ref());
    }
    let unfinished = decoder.finish();
    (
        lines,
        unfinished.map_or(0, |UnfinishedLine { bytes }| bytes),
    )
}

/// The lines of a stream by the rule, those that are too long with all that they are.
fn lines(stream: &[u8], max: usize) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = stream.split(|byte| *byte == b'\n').collect();
    lines.pop();
    let without_end = |line| fitting(line, max).unwrap_or(line);
    let lines = lines.into_iter().map(without_end);
    let is_said = |line: &&[u8]| line.len() > max || !line.trim_ascii().is_empty();
    lines.filter(is_said).collect()
}

/// A line without its CR, if then it is not too long.
fn fitting(line: &[u8], max: usize) -> Option<&[u8]> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (line.len() <= max).then_some(line)
}

/// A line that is too long may name the message that is in it, and no other.
fn same_line(line: &Result<Bytes, LineTooLong>, known: &[u8], max: usize) {
    match line {
        Ok(line) => assert_eq!(line, known),
        Err(LineTooLong {
            bytes,
            max: bound,
            id,
        }) => {
            assert_eq!((*bytes, *bound), (known.len(), max));
            assert!(known.len() > max);
            let message = Message::parse(Bytes::copy_from_slice(known));
            if let (Ok(message), Some(id)) = (message, id) {
                assert_eq!(message.id(), Some(&id[..]));
            }
        }
    }
}

/// The events of a stream by the rules of the HTML standard, section 9.2.
fn events(stream: &[u8], max: usize) -> Events {
    let (mut events, mut event, mut size) = (Vec::new(), SseEvent::default(), 0);
    let (mut data, mut rest) = (Vec::new(), stream);
    rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
    while let Some(end) = rest.iter().position(|byte| b"\r\n".contains(byte)) {
        let (line, behind) = rest.split_at(end);
        rest = behind.strip_prefix(b"\r\n").unwrap_or(&behind[1..]);
        if line.is_empty() {
            let ended = ended(&mut event, &data, size, max);
            data.clear();
            events.extend(ended);
            size = 0;
        } else if line[0] != b':' {
            size += line.len();
            field(line, &mut event, &mut data, size <= max);
        }
    }
    events
}

/// An empty line: the event that ends here, if it is one. The id and the time to wait stay for the next if it is none.
fn ended(
    event: &mut SseEvent,
    data: &[u8],
    bytes: usize,
    max: usize,
) -> Option<Result<SseEvent, EventTooLarge>> {
    let kind = event.event.take().filter(|kind| !kind.is_empty());
    if bytes > max {
        return Some(Err(too_large(bytes, max)));
    }
    let data = data.strip_suffix(b"\n")?;
    let SseEvent { id, retry, .. } = std::mem::take(event);
    Some(Ok(SseEvent {
        event: kind,
        data: Bytes::copy_from_slice(data),
        id,
        retry,
    }))
}

fn field(line: &[u8], event: &mut SseEvent, data: &mut Vec<u8>, is_read: bool) {
    if !is_read {
        return;
    }
    let mut halves = line.splitn(2, |byte| *byte == b':');
    let name = halves.next().unwrap_or_default();
    let value = halves.next().unwrap_or_default();
    let value = value.strip_prefix(b" ").unwrap_or(value);
    let text = || Some(String::from_utf8_lossy(value).into());
    match name {
        b"data" => data.extend([value, b"\n"].concat()),
        b"event" => event.event = text(),
        b"id" if !value.contains(&0) => event.id = text(),
        b"retry" if value.iter().all(u8::is_ascii_digit) => {
            let number = str::from_utf8(value).ok().and_then(|it| it.parse().ok());
            event.retry = number.map(Duration::from_millis).or(event.retry);
        }
        _ => {}
    }
}

/// What is written as a line or an event reads back.
fn written(data: &[u8]) {
    let on_one_line: Vec<u8> = data
        .iter()
        .map(|byte| if b"\r\n".contains(byte) { b' ' } else { *byte })
        .collect();
    let (lines, rest) = decoded_lines(&[&encode_line(data)], usize::MAX);
    let is_blank = on_one_line.trim_ascii().is_empty();
    let expected = if is_blank {
        vec![]
    } else {
        vec![Ok(on_one_line.into())]
    };
    assert_eq!((lines, rest), (expected, 0));

    let id = str::from_utf8(data.split(|byte| *byte == b'{').next().unwrap_or_default()).ok();
    let kept = id.filter(|id| !id.contains(['\r', '\n', '\0']));
    let event = SseEvent {
        event: Some("message".into()),
        data: with_line_feeds(data),
        id: kept.map(Into::into),
        retry: None,
    };
    assert_eq!(
        decoded_events(&[&encode_sse(data, id)], usize::MAX),
        [Ok(event)]
    );
}

fn with_line_feeds(mut text: &[u8]) -> Bytes {
    let mut written = Vec::new();
    while let Some((first, rest)) = text.split_first() {
        text = match first {
            b'\r' => rest.strip_prefix(b"\n").unwrap_or(rest),
            _ => rest,
        };
        written.push(if *first == b'\r' { b'\n' } else { *first });
    }
    written.into()
}
