//! The scan reads what `serde_json` reads: the same texts are JSON, the same are messages, with the same parts.

use std::str;

use bytes::Bytes;

use super::{edits::edits, known::Known, parts};
use crate::protocol::{Body, Fault, Malformed, Message};

/// As many entries as a batch may have here.
const MOST: usize = 3;
/// The deepest nesting that is read.
const DEEPEST: usize = 128;

/// One body, and each message in it.
pub(crate) fn envelope(bytes: &[u8]) {
    let body = Bytes::copy_from_slice(bytes);
    let read = Message::parse(body.clone());
    one(bytes, &read);
    match (Body::parse(body, MOST), &read) {
        (Ok(Body::One(one)), Ok(read)) => assert_eq!(one.bytes(), read.bytes()),
        (Ok(Body::Batch(entries)), Err(read)) => {
            assert!(!read.is_parse_error());
            batch(bytes, &entries);
        }
        (Err(refused), Err(read)) => refusals(&refused, read),
        (body, read) => unreachable!("{body:?} but {read:?}"),
    }
}

/// A body is refused for the reason for which its only message is, but that a batch has bounds of its own.
fn refusals(body: &Malformed, read: &Malformed) {
    match body.fault() {
        Fault::EmptyBatch => assert!(!read.is_parse_error()),
        Fault::BatchTooLong { max } => assert_eq!(*max, MOST),
        fault => assert_eq!(fault, read.fault()),
    }
}

fn batch(bytes: &[u8], entries: &[Result<Message, Malformed>]) {
    let known: Vec<&serde_json::value::RawValue> =
        serde_json::from_slice(bytes).unwrap_or_default();
    assert_eq!(entries.len(), known.len());
    for (entry, known) in entries.iter().zip(known) {
        one(known.get().as_bytes(), entry);
    }
}

fn one(bytes: &[u8], read: &Result<Message, Malformed>) {
    let text = match (str::from_utf8(bytes), read) {
        (Ok(text), _) => text,
        (Err(error), Err(malformed)) => {
            let at = error.valid_up_to();
            return assert_eq!(malformed.fault(), &Fault::NotUtf8 { at });
        }
        (Err(error), Ok(message)) => unreachable!("{error}: {message:?}"),
    };
    match (read, Known::of(text)) {
        (Ok(message), Some(known)) => {
            assert_eq!(Some(message.kind()), known.kind());
            assert_eq!(parts::of_message(message), parts::of_known(&known));
            assert!(depths(bytes).max() <= Some(DEEPEST));
            edits(message, &known);
        }
        (Err(malformed), known) => fault(bytes, malformed, known.as_ref()),
        (Ok(message), None) => unreachable!("no JSON: {message:?}"),
    }
}

/// A refusal must have its reason.
fn fault(bytes: &[u8], malformed: &Malformed, known: Option<&Known<'_>>) {
    match malformed.fault() {
        Fault::NotJson { at, .. } => assert!(known.is_none() && *at <= bytes.len()),
        Fault::TooDeep { at } => assert_eq!(depths(&bytes[..=*at]).last(), Some(DEEPEST + 1)),
        Fault::NotJsonRpc { .. } => assert_eq!(known.map(Known::kind), Some(None)),
        other => unreachable!("{other}"),
    }
    let id = malformed.id().unwrap_or(b"null");
    let id: Result<&serde_json::value::RawValue, _> = serde_json::from_slice(id);
    assert!(id.is_ok());
}

/// How many containers are open behind each byte.
fn depths(text: &[u8]) -> impl Iterator<Item = usize> {
    let (mut depth, mut in_string, mut is_escaped) = (0, false, false);
    text.iter().map(move |byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        depth
    })
}
