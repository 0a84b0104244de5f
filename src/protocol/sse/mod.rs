//! Server-sent events: a byte stream cut into events, and a message written as one.
//! The rules are those of the WHATWG HTML standard, section 9.2 (event streams).

mod decoder;
mod encode;
mod lines;

pub use decoder::{EventTooLarge, SseDecoder, SseEvent};
pub use encode::encode_sse;
