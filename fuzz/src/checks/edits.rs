//! An edit changes the parts that it names and no other byte, and the edited message is what a new reading finds.

use bytes::Bytes;

use super::{known::Known, parts};
use crate::protocol::Message;

const NAME: &str = r#"a "new" name \ 😀"#;
const META: &str = r#"{"progressToken":"t"}"#;
const MEMBERS: &str = r#""first":[]"#;

/// All edits of one message.
pub(crate) fn edits(message: &Message, known: &Known<'_>) {
    spliced(message, known);
    let (id, meta) = (known.outer.get("id"), known.params.get("_meta"));
    for other in ["7", r#""a rather long id that takes more room""#] {
        let expected = known.spliced(&[(id, other)]);
        let alone = Message::parse(Bytes::copy_from_slice(message.bytes()));
        let alone = alone.map(|alone| alone.under(other.as_bytes()));
        assert_eq!(alone.as_deref(), Ok(expected.as_bytes()));
        assert_eq!(message.clone().under(other.as_bytes()), expected);
    }
    let expected = known.spliced(&[(meta, META)]);
    same(&message.with_meta(META.as_bytes()), &expected);
    result(message, known);
    for digits in ["7", "12345678901234567890", "007", "", " 7", "-7"] {
        again(message, known, digits);
    }
}

fn spliced(message: &Message, known: &Known<'_>) {
    let (id, token) = (r#""\u0061""#, "-1.5e400");
    let name = serde_json::to_string(NAME).unwrap_or_default();
    let expected = known.spliced(&[
        (known.outer.get("id"), id),
        (known.token(message.kind()), token),
        (known.params.get("name"), &name),
    ]);
    let edit = || {
        let edit = message.edit().name("overruled").id(id.as_bytes());
        edit.progress_token(token.as_bytes()).name(NAME)
    };
    assert_eq!(edit().finish(), expected);
    assert_eq!(edit().pieces().concat(), expected.as_bytes());
    same(&edit().finish_message(), &expected);
}

/// New members stand first in a result that is an object.
fn result(message: &Message, known: &Known<'_>) {
    let edited = message.with_in_result(MEMBERS);
    let Some(result) = known.result_text().filter(|it| it.starts_with('{')) else {
        return assert_eq!(edited, message.bytes());
    };
    let inner = result[1..].trim_start();
    let comma = if inner == "}" { "" } else { "," };
    let whole = format!("{{{MEMBERS}{comma}{}", &result[1..]);
    assert_eq!(edited, known.spliced(&[(Some(result), &whole)]));
    assert!(Message::parse(edited).is_ok());
}

/// A message that is known under another id is what a new reading finds, or is not known.
fn again(message: &Message, known: &Known<'_>, digits: &str) {
    let id = known.outer.get("id");
    let text = match id {
        Some(_) => known.spliced(&[(id, digits)]),
        None => format!("{digits}{}", known.spliced(&[])),
    };
    let is_number = ["7", "12345678901234567890"].contains(&digits) && id.is_some();
    match Message::again(message, &Bytes::copy_from_slice(text.as_bytes())) {
        Some(again) => same(&again, &text),
        None => assert!(!is_number, "{text}"),
    }
}

fn same(message: &Message, expected: &str) {
    assert_eq!(message.bytes(), expected);
    let read = Message::parse(Bytes::copy_from_slice(expected.as_bytes()));
    assert_eq!(read.as_ref().map(Message::kind), Ok(message.kind()));
    assert_eq!(
        read.as_ref().map(parts::of_message),
        Ok(parts::of_message(message))
    );
}
