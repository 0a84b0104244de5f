//! An MCP session, opened as a client opens it.

use std::{io, net::SocketAddr};

use crate::http::{Connection, header, post};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"perf","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Opens a session; gives the headers that later requests of it carry.
pub(crate) fn open_session(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut connection = Connection::open(address)?;
    let opened = connection.exchange(&post(path, address, "", INITIALIZE))?;
    expect(opened.status(), 200)?;
    let session = header(opened.head, "mcp-session-id")
        .ok_or_else(|| io::Error::other("initialize opened no session"))?;
    let headers = format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n");
    let accepted = connection.exchange(&post(path, address, &headers, INITIALIZED))?;
    expect(accepted.status(), 202)?;
    Ok(headers)
}

/// That an answer has the status that it should.
pub(super) fn expect(status: u16, expected: u16) -> io::Result<()> {
    if status == expected {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "an answer has status {status}, not {expected}"
    )))
}
