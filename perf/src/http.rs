//! As much of HTTP/1.1 as both ends of the measurement need: blocking, kept alive, one message at a time.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use memchr::memmem;

/// How long a silent peer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// One kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// One message as it was read: its head, and its body without any framing.
pub(crate) struct Exchange {
    pub(crate) head: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects to a server.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Self::accepted(stream)
    }

    /// Takes a connection that a client opened.
    pub(crate) fn accepted(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 << 10),
        })
    }

    /// Sends a whole message.
    pub(crate) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.write_all(message)
    }

    /// Reads a whole message; none if the peer closed before its first byte.
    pub(crate) fn receive(&mut self) -> io::Result<Option<Exchange>> {
        let end = loop {
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            if self.fill()? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let body = self.body(&head)?;
        Ok(Some(Exchange { head, body }))
    }

    /// Sends a request and reads its answer.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> io::Result<Exchange> {
        self.send(request)?;
        self.receive()?
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn body(&mut self, head: &[u8]) -> io::Result<Vec<u8>> {
        if header(head, "transfer-encoding").is_some() {
            return self.chunks();
        }
        let length = header(head, "content-length").and_then(|length| length.parse().ok());
        self.exactly(length.unwrap_or(0))
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
            body.extend(self.exactly(size)?);
            self.exactly(2)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = memmem::find(&self.buffer, b"\r\n") {
                let line = self.exactly(end)?;
                self.exactly(2)?;
                return String::from_utf8(line).map_err(io::Error::other);
            }
            self.fill_more()?;
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.buffer.len() < length {
            self.fill_more()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn fill_more(&mut self) -> io::Result<()> {
        if self.fill()? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut chunk = [0; 8 << 10];
        let length = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(&chunk[..length]);
        Ok(length)
    }
}

impl Exchange {
    /// The status of an answer; 0 where there is none.
    pub(crate) fn status(&self) -> u16 {
        let head = String::from_utf8_lossy(&self.head);
        let status = head.split(' ').nth(1);
        status.and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

/// A header's value; its name in lower case.
pub(crate) fn header(head: &[u8], name: &str) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?;
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
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
