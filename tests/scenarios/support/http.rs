//! A client that writes exactly the HTTP/1.1 it is told to, one connection for each request.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
};

use super::{PATIENCE, reply::Reply};

/// One request before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// One answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Header names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, chunks joined.
    pub(crate) body: Vec<u8>,
}

/// An answer whose body is read piece by piece.
pub(crate) struct Streaming {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Header names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    reader: BufReader<TcpStream>,
    chunked: bool,
}

impl Request {
    /// A request without headers of its own.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A POST of JSON as MCP clients send it.
    pub(crate) fn post(path: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut request = Self::new("POST", path)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream");
        request.body = body.into();
        request
    }

    /// Sets a header in place of one of the same name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a header beside those of the same name.
    pub(crate) fn and_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a header out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// The bytes on the wire.
    pub(crate) fn bytes(&self, to: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.names("host") {
            head.push_str(&format!("host: {to}\r\n"));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() && !self.names("content-length") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        head.push_str("connection: close\r\n\r\n");
        [head.as_bytes(), &self.body].concat()
    }

    /// Sends it and reads the whole answer.
    pub(crate) fn send(&self, to: SocketAddr) -> io::Result<Response> {
        self.open(to)?.finish()
    }

    /// Sends it and reads the head of the answer.
    pub(crate) fn open(&self, to: SocketAddr) -> io::Result<Streaming> {
        Streaming::read_head(self.begin(to)?)
    }

    /// Sends it and reads nothing.
    pub(crate) fn begin(&self, to: SocketAddr) -> io::Result<TcpStream> {
        let stream = connect(to)?;
        // An early refusal may close the connection while the body is still on its way; the answer is there to be read.
        let _ = (&stream).write_all(&self.bytes(to));
        Ok(stream)
    }

    /// Changes the body.
    pub(crate) fn body(mut self, change: impl FnOnce(String) -> String) -> Self {
        self.body = change(String::from_utf8_lossy(&self.body).into_owned()).into();
        self
    }

    fn names(&self, name: &str) -> bool {
        self.headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
    }
}

/// A connection whose reads and writes end.
pub(crate) fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Streaming {
    /// Reads the status line and the headers.
    pub(crate) fn read_head(stream: TcpStream) -> io::Result<Self> {
        let mut reader = BufReader::new(stream);
        let status = line(&mut reader)?
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| io::Error::other("no status line"))?;
        let mut headers = Vec::new();
        loop {
            let line = line(&mut reader)?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let chunked = find(&headers, "transfer-encoding").is_some_and(|v| v.contains("chunked"));
        Ok(Self {
            status,
            headers,
            reader,
            chunked,
        })
    }

    /// The next piece of the body as the server framed it; nothing at its end.
    pub(crate) fn piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        if !self.chunked {
            let mut buffer = vec![0; 1 << 16];
            let read = self.reader.read(&mut buffer)?;
            buffer.truncate(read);
            return Ok((read > 0).then_some(buffer));
        }
        let head = line(&mut self.reader)?;
        let size = usize::from_str_radix(head.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|_| io::Error::other(format!("no chunk size: {head:?}")))?;
        let mut piece = vec![0; size];
        self.reader.read_exact(&mut piece)?;
        line(&mut self.reader)?;
        Ok((size > 0).then_some(piece))
    }

    /// Reads the body to its end.
    pub(crate) fn finish(mut self) -> io::Result<Response> {
        let mut body = Vec::new();
        if let (false, Some(length)) = (self.chunked, find(&self.headers, "content-length")) {
            body.resize(length.parse().map_err(io::Error::other)?, 0);
            self.reader.read_exact(&mut body)?;
        } else if !matches!(self.status, 202 | 204 | 304) || self.chunked {
            while let Some(piece) = self.piece()? {
                body.extend(piece);
            }
        }
        Ok(Response {
            status: self.status,
            headers: self.headers,
            body,
        })
    }
}

impl Response {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON-RPC answer in it, whether it came as JSON or as the last event of a stream.
    pub(crate) fn reply(&self) -> Reply {
        Reply::from_response(self)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    while matches!(line.last(), Some(b'\r' | b'\n')) {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}
