//! A Streamable HTTP MCP server that answers at once with constant bytes, so that what is measured is not itself.

use std::{
    io::{self, Write},
    net::{TcpListener, TcpStream},
    thread,
};

use memchr::memmem;

use crate::{
    http::{Connection, header},
    process::end_with_standard_input,
};

const INITIALIZE: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"constant","version":"1"}}"#;
const TOOLS: &str = r#"{"tools":[{"name":"echo","description":"Gives a message back.","inputSchema":{"type":"object","properties":{"message":{"type":"string"}},"required":["message"]}}]}"#;

/// What every call of its tool gives.
const ECHO: &str = r#"{"content":[{"type":"text","text":"constant"}]}"#;

/// Listens on a free port, prints it, and serves until standard input ends.
pub(crate) fn run() -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    end_with_standard_input();
    for stream in listener.incoming() {
        let stream = stream?;
        thread::spawn(move || serve(stream));
    }
    Ok(())
}

fn serve(stream: TcpStream) -> io::Result<()> {
    let mut connection = Connection::accepted(stream)?;
    while let Some(request) = connection.receive()? {
        let answer = answer(&request.head, &request.body);
        connection.send(&answer)?;
    }
    Ok(())
}

fn answer(head: &[u8], body: &[u8]) -> Vec<u8> {
    if !head.starts_with(b"POST") {
        return b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n".to_vec();
    }
    if header(head, "transfer-encoding").is_some() {
        return b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\n\r\n".to_vec();
    }
    let Some(id) = id(body) else {
        return b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_vec();
    };
    let has = |method: &str| memmem::find(body, method.as_bytes()).is_some();
    let (result, session) = if has("\"tools/call\"") {
        (ECHO, "")
    } else if has("\"initialize\"") {
        (INITIALIZE, "Mcp-Session-Id: constant\r\n")
    } else if has("\"tools/list\"") {
        (TOOLS, "")
    } else {
        ("{}", "")
    };
    let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{session}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// The id of a request: what stands behind the first member of that name, which nothing that is sent here precedes.
fn id(body: &[u8]) -> Option<&str> {
    let start = memmem::find(body, b"\"id\":")? + 5;
    let rest = std::str::from_utf8(&body[start..]).ok()?;
    rest.split([',', '}']).next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(head: &str, body: &str) -> String {
        String::from_utf8(answer(head.as_bytes(), body.as_bytes())).unwrap()
    }

    #[test]
    fn a_call_is_answered_under_its_own_id() {
        let answer = text(
            "POST /mcp HTTP/1.1\r\n",
            r#"{"jsonrpc":"2.0","id":"g-7","method":"tools/call","params":{}}"#,
        );
        assert!(answer.ends_with(&format!(
            r#"{{"jsonrpc":"2.0","id":"g-7","result":{ECHO}}}"#
        )));
    }

    #[test]
    fn notifications_are_accepted_and_streams_are_not_offered() {
        let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert!(text("POST /mcp HTTP/1.1\r\n", notification).starts_with("HTTP/1.1 202"));
        assert!(text("GET /mcp HTTP/1.1\r\n", "").starts_with("HTTP/1.1 405"));
    }
}
