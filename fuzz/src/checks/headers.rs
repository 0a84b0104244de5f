//! A header bears the value that was written into it, and claims nothing that it does not bear.

use std::{borrow::Cow, str};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::response::response;
use crate::protocol::{decoded_header, encoded_header};

/// The bytes as the value of a header, as a value for one, and as the response of a backend.
pub(crate) fn headers(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        decoded(text);
        encoded(text);
    }
    response(bytes);
}

fn decoded(header: &str) {
    let inner = header.trim().strip_prefix("=?base64?");
    let inner = inner.and_then(|rest| rest.strip_suffix("?="));
    match (decoded_header(header), inner) {
        (Some(Cow::Owned(value)), Some(inner)) => assert_eq!(STANDARD.encode(value), inner),
        (None, Some(inner)) => assert!(!is_base64_of_text(inner)),
        (Some(value), None) => assert_eq!(value, header.trim()),
        (value, inner) => unreachable!("{value:?} of {inner:?}"),
    }
}

/// RFC 4648, section 4, bit by bit.
fn is_base64_of_text(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let place = |digit: u8| alphabet.iter().position(|known| *known == digit);
    let Some(places) = digits.bytes().map(place).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let bits: Vec<bool> = places
        .iter()
        .flat_map(|place| (0..6).rev().map(move |bit| place >> bit & 1 == 1))
        .collect();
    let (bytes, rest) = bits.as_chunks::<8>();
    let byte = |bits: &[bool; 8]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
    let decoded = bytes.iter().map(byte).collect();
    let is_padded = text.len().is_multiple_of(4) && text.len() - digits.len() < 3;
    is_padded && !rest.contains(&true) && String::from_utf8(decoded).is_ok()
}

fn encoded(value: &str) {
    let header = encoded_header(value);
    assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    assert_eq!(decoded_header(&header).as_deref(), Some(value));
}
