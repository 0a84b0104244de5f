//! A connection that waits for each answer: what sets a measurement up, but is not measured.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use super::{Message, first};

/// How long a silent server is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// One kept connection to a server.
pub(crate) struct Connection {
    stream: TcpStream,
    came: Vec<u8>,
}

impl Connection {
    /// Connects to a server.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let came = Vec::new();
        Ok(Self { stream, came })
    }

    /// Sends a request and reads its answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<Message<'_>> {
        self.stream.write_all(request)?;
        self.came.clear();
        while first(&self.came)?.is_none() {
            let mut more = [0; 16 << 10];
            let length = self.stream.read(&mut more)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.came.extend_from_slice(&more[..length]);
        }
        first(&self.came)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// A POST as an MCP client sends it, with further headers of whole lines.
pub(crate) fn post(path: &str, host: SocketAddr, further: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{further}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}
