//! OpenAPI documents as capabilities: 3.0 and 3.1, one capability for each operation.
//! A document stays text: its parts are read when an operation needs them, and what several need is written once.

mod arguments;
mod body;
mod compact;
mod definitions;
mod document;
mod import;
mod keyword;
mod media;
mod naming;
mod operation;
mod parameter;
mod path;
mod plain_object;
mod schema;
mod security;
mod selection;
mod server;
mod source;
#[cfg(test)]
mod tests;
mod trouble;
mod yaml;

pub use document::DocumentText;
pub use import::{Imported, Skipped, Wish, import};
pub use operation::Operation;
pub use security::{Scheme, Security};
pub use selection::{Pattern, Selection};
pub use source::{is_url, read_document};
pub use trouble::Trouble;
