//! The readers of bytes that others write, compiled alone and with what must hold for any bytes.
//!
#![doc = include_str!("../README.md")]

#[expect(unused, reason = "some of it is for the gateway alone")]
#[path = "../../src/protocol/mod.rs"]
pub mod protocol;

mod checks;

/// The envelope scan and edits.
pub fn envelope(bytes: &[u8]) {
    checks::envelope(bytes);
}

/// The framing of events and lines.
pub fn framing(bytes: &[u8]) {
    checks::framing(bytes);
}

/// Header values, and the head and chunks of a backend's response.
pub fn headers(bytes: &[u8]) {
    checks::headers(bytes);
}
