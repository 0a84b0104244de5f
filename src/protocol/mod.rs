//! MCP as values: messages scanned in place, revisions, error codes, and the framing of lines and events.
//! Nothing here reads, writes, waits or knows tokio.

mod body;
pub mod codes;
mod edit;
mod judge;
mod line;
mod make;
mod malformed;
mod message;
mod quote;
mod raw_object;
mod revision;
#[cfg(test)]
mod samples;
mod scan;
mod sse;

pub use body::Body;
pub use edit::{Edit, PIECES, leading};
pub use line::{LineDecoder, LineTooLong, UnfinishedLine, encode_line};
pub use malformed::{Fault, Malformed};
pub use message::{Kind, Message};
pub use quote::quote;
pub(crate) use raw_object::{RawObject, Text, offset};
pub use revision::{MODERN, Revision};
pub use sse::{EventTooLarge, SseDecoder, SseEvent, encode_sse};
