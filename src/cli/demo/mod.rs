//! The embedded demo backend: an MCP server on standard input and output, started by the gateway as its own child.
//! It shows tools, a resource and a prompt to somebody who has configured nothing yet.

mod answer;
mod content;
mod exchange;
mod run;
mod serve;
mod sleep;
mod tools;

pub(super) use run::run;
pub(super) use serve::answered;
