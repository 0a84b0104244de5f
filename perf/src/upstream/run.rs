//! How a mock server is asked for, and how it is started.

use std::io;

use clap::{Args, ValueEnum};

use super::{Fault, http::Server, mcp::Mcp, stdio};

/// A mock MCP server.
#[derive(Args, Clone, Debug)]
pub(crate) struct Upstream {
    /// Speaks over its standard streams, not over HTTP.
    #[arg(long, conflicts_with = "answer")]
    pub(crate) stdio: bool,
    /// How requests are answered over HTTP.
    #[arg(long, value_enum, default_value = "json")]
    pub(crate) answer: AnswerKind,
    /// How many tools it lists; all of them echo.
    #[arg(long, default_value_t = 1)]
    pub(crate) tools: usize,
    #[command(flatten)]
    pub(crate) fault: Fault,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerKind {
    /// One JSON document.
    Json,
    /// One event of an SSE stream, chunked.
    Sse,
}

/// Serves until standard input ends.
pub(crate) fn run(upstream: &Upstream) -> io::Result<()> {
    let mcp = Mcp::new(upstream.tools);
    if upstream.stdio {
        return stdio::run(mcp, upstream.fault);
    }
    Server::new(mcp, upstream.answer, upstream.fault)?.run()
}
