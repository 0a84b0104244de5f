//! One kept connection to an MCP endpoint, and one request at a time over it.

use std::{io, net::SocketAddr, time::Duration};

use http::{
    HeaderName, HeaderValue, Request,
    header::{ACCEPT, CONTENT_TYPE, HOST},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use memchr::memmem;
use tokio::{net::TcpStream, time::timeout};

use super::alarm::Alarm;

/// What is sent and must come back.
const MESSAGE: &str = "what is said here comes back";
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// An endpoint over HTTP.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) address: SocketAddr,
    pub(super) path: &'static str,
}

/// One client of an endpoint, with a session of its own.
pub(super) struct Lane {
    sender: SendRequest<Full<Bytes>>,
    alarm: Alarm,
    endpoint: Endpoint,
    session: Option<HeaderValue>,
    last_id: u64,
}

impl Lane {
    /// Connects and opens a session.
    pub(super) async fn open(endpoint: Endpoint) -> io::Result<Self> {
        let stream = TcpStream::connect(endpoint.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // It ends when the lane is dropped; what breaks it is told to whoever sends.
        tokio::spawn(async move { drop(connection.await) });
        let mut lane = Self {
            sender,
            alarm: Alarm::new()?,
            endpoint,
            session: None,
            last_id: 0,
        };
        lane.introduce().await?;
        Ok(lane)
    }

    async fn introduce(&mut self) -> io::Result<()> {
        let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"0"}}}"#;
        let (status, session, body) = self.post(Bytes::from_static(hello.as_bytes())).await?;
        expect(status, 200, &body)?;
        self.session = session;
        let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        let (status, _, body) = self.post(Bytes::from_static(ready.as_bytes())).await?;
        expect(status, 202, &body)
    }

    /// Waits that long.
    pub(super) async fn wait(&self, time: Duration) -> io::Result<()> {
        self.alarm.sleep(time).await
    }

    /// Calls the tool and looks at what comes back.
    pub(super) async fn exchange(&mut self) -> io::Result<()> {
        self.last_id += 1;
        let id = self.last_id;
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"message":"{MESSAGE}"}}}}}}"#
        );
        let (status, _, body) = self.post(call.into()).await?;
        expect(status, 200, &body)?;
        let is_there = |what: &str| memmem::find(&body, what.as_bytes()).is_some();
        if is_there(MESSAGE) && is_there(&format!("\"id\":{id}")) {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "an answer is another one than what was asked for: {}",
            excerpt(&body)
        )))
    }

    async fn post(&mut self, body: Bytes) -> io::Result<(u16, Option<HeaderValue>, Bytes)> {
        let mut request = Request::post(self.endpoint.path)
            .header(HOST, self.endpoint.address.to_string())
            .header(CONTENT_TYPE, JSON)
            .header(ACCEPT, BOTH);
        if let Some(session) = &self.session {
            request = request.header(SESSION, session);
        }
        let request = request.body(Full::new(body)).map_err(io::Error::other)?;
        let answered = async {
            let response = self.sender.send_request(request).await?;
            let (head, body) = response.into_parts();
            let session = head.headers.get(SESSION).cloned();
            let body = body.collect().await?.to_bytes();
            Ok::<_, hyper::Error>((head.status.as_u16(), session, body))
        };
        let answered = timeout(PATIENCE, answered).await;
        answered
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
            .map_err(io::Error::other)
    }
}

fn expect(status: u16, expected: u16, body: &[u8]) -> io::Result<()> {
    if status == expected {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "an answer has status {status}, not {expected}: {}",
        excerpt(body)
    )))
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body.get(..300).unwrap_or(body)).into_owned()
}
