//! The server side of one HTTP/1.1 connection, where a script decides every byte of the answer.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
};

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    /// The HTTP method.
    pub(crate) method: String,
    /// The path with its query.
    pub(crate) path: String,
    /// Header names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as text.
    pub(crate) body: String,
}

impl Arrived {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// One accepted connection.
pub(crate) struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    /// Speaks on an accepted connection.
    pub(crate) fn on(stream: TcpStream) -> Self {
        let _ = stream.set_nodelay(true);
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// The next request; nothing when the peer is gone.
    pub(crate) fn receive(&mut self) -> Option<Arrived> {
        let first = self.line()?;
        let mut words = first.split(' ');
        let method = words.next()?.to_owned();
        let mut arrived = Arrived {
            method,
            path: words.next().unwrap_or_default().to_owned(),
            headers: Vec::new(),
            body: String::new(),
        };
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':')?;
            let header = (name.to_ascii_lowercase(), value.trim().to_owned());
            arrived.headers.push(header);
        }
        let body = self.body(&arrived)?;
        arrived.body = String::from_utf8_lossy(&body).into_owned();
        Some(arrived)
    }

    /// Answers with one whole body. `headers` are complete lines, each with its line end.
    pub(crate) fn answer(&mut self, status: u16, headers: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        self.write(
            format!(
                "HTTP/1.1 {status} Scripted\r\n{headers}content-length: {length}\r\n\r\n{body}"
            )
            .as_bytes(),
        )
    }

    /// Begins a chunked answer.
    pub(crate) fn begin(&mut self, headers: &str) -> io::Result<()> {
        self.write(
            format!("HTTP/1.1 200 Scripted\r\n{headers}transfer-encoding: chunked\r\n\r\n")
                .as_bytes(),
        )
    }

    /// Writes one chunk.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
        framed.extend_from_slice(bytes);
        framed.extend_from_slice(b"\r\n");
        self.write(&framed)
    }

    /// Ends a chunked answer.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.write(b"0\r\n\r\n")
    }

    /// Whether the peer has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        let stream = self.reader.get_ref();
        let _ = stream.set_nonblocking(true);
        let closed = match stream.peek(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() != io::ErrorKind::WouldBlock,
        };
        let _ = stream.set_nonblocking(false);
        closed
    }

    /// Closes the connection, whoever else holds it.
    pub(crate) fn hang_up(&self) -> io::Result<()> {
        self.reader.get_ref().shutdown(Shutdown::Both)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    fn body(&mut self, arrived: &Arrived) -> Option<Vec<u8>> {
        if arrived.header("transfer-encoding") == Some("chunked") {
            return self.chunks();
        }
        let length = arrived.header("content-length").unwrap_or("0");
        let mut body = vec![0; length.parse().ok()?];
        self.reader.read_exact(&mut body).ok()?;
        Some(body)
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let size = usize::from_str_radix(self.line()?.trim(), 16).ok()?;
            let mut chunk = vec![0; size];
            self.reader.read_exact(&mut chunk).ok()?;
            self.line()?;
            if size == 0 {
                return Some(body);
            }
            body.extend(chunk);
        }
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}
