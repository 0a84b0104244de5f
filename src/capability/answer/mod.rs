//! What of a provider's answer becomes the result of the tool: read, picked, changed as the definition says, and written as
//! MCP writes it.

mod content;
mod filter;
mod path;
mod pick;
mod read;
mod result;
mod shape;

pub(super) use pick::Pick;
pub(super) use read::{Taken, Unusable, taken};
pub(super) use result::{Notes, Switched, failed, told};
pub(super) use shape::Shape;
