//! A mock MCP server, over HTTP or stdio, that costs little itself: it echoes, lists as many tools as asked for, and can be
//! slow or faulty on purpose.

mod fault;
mod http;
mod mcp;
mod run;
mod sessions;
mod stdio;

pub(crate) use fault::Fault;
pub(crate) use mcp::tools_list;
pub(crate) use run::{AnswerKind, Upstream, run};
