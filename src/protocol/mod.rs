//! MCP as values: messages scanned in place, revisions, error codes, and the framing of lines and events.
//! Nothing here reads, writes, waits or knows tokio.

mod body;
pub mod codes;
mod edit;
mod header_value;
mod judge;
mod line;
mod make;
mod malformed;
mod message;
mod overlong;
mod quote;
mod raw_object;
mod revision;
#[cfg(test)]
mod samples;
mod scan;
mod sender;
mod sse;

pub use body::Body;
pub use edit::{Edit, PIECES, leading};
pub use header_value::{decoded_header, encoded_header};
pub use line::{LineDecoder, LineTooLong, UnfinishedLine, encode_line};
pub use malformed::{Fault, Malformed};
pub use message::{Kind, Message};
pub use quote::{escape, quote};
pub(crate) use raw_object::{RawObject, Text, offset};
pub use revision::{MODERN, Revision};
pub use sender::{
    CLIENT_CAPABILITIES, CLIENT_INFO, Era, LOG_LEVEL, PROTOCOL_VERSION, introduction,
};
pub use sse::{EventTooLarge, SseDecoder, SseEvent, encode_sse};
