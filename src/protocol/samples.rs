//! JSON texts for property tests: valid ones in any notation, broken ones, and noise that looks like JSON.

use proptest::{prelude::*, sample::select};

/// A JSON value in any notation the grammar allows.
pub(super) fn json() -> impl Strategy<Value = String> {
    scalar().prop_recursive(6, 48, 5, |inner| {
        let member = (string(), space(), inner.clone())
            .prop_map(|(name, space, value)| format!("{space}{name}:{space}{value}{space}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(" ,"))),
            prop::collection::vec(member, 0..5)
                .prop_map(|items| format!("{{{}}}", items.join(","))),
        ]
    })
}

/// A JSON value with a few bytes changed, removed or put in.
pub(super) fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let damage = (any::<prop::sample::Index>(), 0u8..3, byte());
    (json(), prop::collection::vec(damage, 0..4)).prop_map(|(text, damage)| {
        let mut text = text.into_bytes();
        for (place, kind, byte) in damage {
            let at = place.index(text.len() + 1);
            match kind {
                0 => text.insert(at, byte),
                1 if at < text.len() => text[at] = byte,
                _ if at < text.len() => drop(text.remove(at)),
                _ => {}
            }
        }
        text
    })
}

/// Tokens of JSON in any order.
pub(super) fn noise() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(byte(), 0..24)
}

/// A JSON string with its quotes: plain text, escapes, and halves of surrogate pairs.
pub(super) fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z/ ]{0,12}",
        any::<char>()
            .prop_filter("must be escaped", |c| !c.is_control()
                && *c != '"'
                && *c != '\\')
            .prop_map(String::from),
        select(
            &[
                "\\n",
                "\\\"",
                "\\\\",
                "\\/",
                "\\u00e9",
                "\\u0041",
                "\\ud83d\\ude00",
                "\\uD800"
            ][..]
        )
        .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        string(),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,4})?",
        select(&["null", "true", "false"][..]).prop_map(String::from),
    ]
}

fn space() -> impl Strategy<Value = &'static str> {
    select(&["", " ", "\n", "\r\n\t"][..])
}

fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        8 => select(&b"{}[]\":,\\ue+-.0123tfnrals \n\t\x00\x1f\xc3\xa9"[..]),
        1 => any::<u8>(),
    ]
}
