//! The log as bytes: how an event becomes a line of JSON, and how lines reach standard error without making a request wait.
//! One queue for all threads keeps their order; one thread empties it.

mod json;
mod lines;
mod members;
mod pen;
mod plain_json;
mod spans;
mod text;

pub(super) use json::Json;
pub(super) use lines::Lines;
pub(super) use pen::Pen;
pub(super) use plain_json::PlainJson;
pub(super) use text::Written;
