//! The echo: the demo backend over Streamable HTTP, with as little around it as will do.

use std::{
    convert::Infallible,
    io::{self, Write},
    net::Ipv4Addr,
    process::ExitCode,
};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

use crate::{
    cli::demo,
    protocol::{Kind, Message},
};

/// The longest request, head and body together, in bytes.
const LONGEST: usize = 1 << 20;
/// Headers that are looked at.
const HEADERS: usize = 32;

/// Prints its port and serves until it is ended.
pub(in crate::cli) fn run() -> ExitCode {
    let Ok(runtime) = Builder::new_current_thread().enable_io().build() else {
        return ExitCode::FAILURE;
    };
    match runtime.block_on(serve()) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("mcp-gateway: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> io::Result<Infallible> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    writeln!(io::stdout(), "{}", listener.local_addr()?.port())?;
    loop {
        let (stream, _) = listener.accept().await?;
        // Whoever sends what cannot be read is hung up on.
        tokio::spawn(async move { drop(attend(stream).await) });
    }
}

async fn attend(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut came = BytesMut::with_capacity(16 << 10);
    loop {
        while let Some(request) = Asked::first(&came)? {
            let body = came.split_to(request.length).freeze().slice(request.head..);
            stream.write_all(&answered(request.is_post, body)).await?;
        }
        if came.remaining() > LONGEST || stream.read_buf(&mut came).await? == 0 {
            return Ok(());
        }
    }
}

/// One whole request.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    is_post: bool,
    /// Bytes of its head.
    head: usize,
    /// Bytes in all.
    length: usize,
}

impl Asked {
    /// The first request, once all of it has come.
    fn first(bytes: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let head = match request.parse(bytes).map_err(io::Error::other)? {
            httparse::Status::Complete(head) => head,
            httparse::Status::Partial => return Ok(None),
        };
        let is_post = request.method == Some("POST");
        let mut headers = request.headers.iter();
        let announced = headers.find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let body = match announced {
            None => 0,
            Some(header) => std::str::from_utf8(header.value)
                .ok()
                .and_then(|text| text.trim().parse::<usize>().ok())
                .filter(|length| *length <= LONGEST)
                .ok_or(io::ErrorKind::InvalidData)?,
        };
        let length = head + body;
        let asked = Self {
            is_post,
            head,
            length,
        };
        Ok((bytes.len() >= length).then_some(asked))
    }
}

fn answered(is_post: bool, body: Bytes) -> Vec<u8> {
    if !is_post {
        return status("405 Method Not Allowed");
    }
    match Message::parse(body) {
        Ok(message) if message.kind() == Kind::Request => {
            let answer = demo::answered(&message);
            let answer = answer.bytes();
            let length = answer.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
            );
            [head.as_bytes(), answer].concat()
        }
        Ok(_) => status("202 Accepted"),
        Err(_) => status("400 Bad Request"),
    }
}

/// An answer of a status alone.
fn status(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_once_its_last_byte_has_come_and_what_follows_is_left() {
        let request = b"POST /mcp HTTP/1.1\r\ncontent-LENGTH: 2\r\n\r\n{}GET / HTTP/1.1\r\n\r\n";
        let length = request.len() - 18;
        for end in 0..length {
            assert_eq!(Asked::first(&request[..end]).unwrap(), None);
        }
        let asked = Asked::first(request).unwrap().unwrap();
        assert_eq!(
            (asked.is_post, asked.head, asked.length),
            (true, length - 2, length)
        );
        assert!(!Asked::first(&request[length..]).unwrap().unwrap().is_post);
        assert!(Asked::first(b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n").is_err());
    }

    #[test]
    fn a_call_comes_back_and_what_is_none_has_a_status_alone() {
        let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"hi"}}}"#;
        let text = |body: &'static str| {
            String::from_utf8(answered(true, Bytes::from_static(body.as_bytes()))).unwrap()
        };
        let answer = text(call);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        assert!(answer.contains(r#""id":7"#) && answer.contains(r#""text":"hi""#));
        let noted = text(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert!(noted.starts_with("HTTP/1.1 202"));
        assert!(text("{").starts_with("HTTP/1.1 400"));
        assert!(answered(false, Bytes::new()).starts_with(b"HTTP/1.1 405"));
    }
}
