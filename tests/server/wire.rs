//! A server on a port of its own, and a client that writes raw bytes at it.
#![expect(
    clippy::unwrap_used,
    reason = "what a test stands on may fail only loudly"
)]

use std::{collections::BTreeMap, net::SocketAddr};

use mcp_gateway::{
    backend::{Backend, BackendSettings, StdioSettings, TransportSettings},
    gateway::{Gateway, GatewaySettings},
    server::{Server, ServerSettings},
    telemetry::Clock,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, ToSocketAddrs},
    sync::oneshot,
    task::JoinHandle,
};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}"#;

/// A server and what stops it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Running {
    /// Starts it on a port that the system chooses.
    pub(crate) fn start(settings: ServerSettings) -> Self {
        Self::serve(settings, Vec::new())
    }

    /// Starts it with the demo backend behind it.
    pub(crate) fn with_demo(settings: ServerSettings) -> Self {
        let child = StdioSettings::new(env!("CARGO_BIN_EXE_mcp-gateway"), &["demo"]);
        let demo = BackendSettings::new("demo", TransportSettings::Stdio(child));
        Self::serve(settings, vec![demo])
    }

    fn serve(settings: ServerSettings, backends: Vec<BackendSettings>) -> Self {
        let clock = Clock::new();
        let backends = backends
            .into_iter()
            .map(|backend| Backend::new(backend, clock.clone()))
            .collect();
        let gateway = Gateway::new(GatewaySettings::default(), backends, clock);
        let server = Server::bind(ServerSettings {
            port: 0,
            ..settings
        })
        .unwrap();
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.run(gateway, async { drop(stopped.await) }));
        Self {
            address,
            stop: Some(stop),
            served,
        }
    }

    /// A new connection.
    pub(crate) async fn connect(&self) -> Wire {
        Wire::connect(self.address).await
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: &str) -> Answer {
        let mut wire = self.connect().await;
        wire.send(request).await;
        wire.answer().await
    }

    /// The listening stream of a new session, and the head it came with.
    pub(crate) async fn listen(&self) -> (Wire, Answer) {
        let opened = self.ask(&post("/mcp", "", INITIALIZE)).await;
        let session = opened.header("mcp-session-id").unwrap_or_default();
        let headers = format!("Accept: text/event-stream\r\nMcp-Session-Id: {session}\r\n");
        let mut stream = self.connect().await;
        stream.send(&bare("GET", "/mcp", &headers)).await;
        let head = stream.answer().await;
        (stream, head)
    }

    /// Gives the stop signal.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Resolves when the server has ended.
    pub(crate) async fn ended(self) {
        drop(self.stop);
        self.served.await.unwrap().unwrap();
    }
}

/// One connection.
pub(crate) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The sentence of the JSON-RPC error in the body.
    pub(crate) fn sentence(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["error"]["message"].as_str().unwrap().to_owned()
    }
}

impl Wire {
    pub(crate) async fn connect(address: impl ToSocketAddrs) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            read: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// The next answer, whole; one without a length is an open stream and comes with its head alone.
    pub(crate) async fn answer(&mut self) -> Answer {
        let head = self.until(b"\r\n\r\n").await;
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let status = status.parse().unwrap();
        let headers: BTreeMap<_, _> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length = headers.get("content-length");
        let length = length.map_or(0, |length| length.parse().unwrap());
        while self.read.len() < length {
            assert!(self.more().await, "closed in the middle of a body");
        }
        let body = self.read.drain(..length).collect();
        Answer {
            status,
            headers,
            body: String::from_utf8(body).unwrap(),
        }
    }

    /// Everything up to and including `mark`.
    pub(crate) async fn until(&mut self, mark: &[u8]) -> String {
        loop {
            let found = self
                .read
                .windows(mark.len())
                .position(|window| window == mark);
            if let Some(at) = found {
                let taken = self.read.drain(..at + mark.len()).collect();
                return String::from_utf8(taken).unwrap();
            }
            assert!(self.more().await, "closed before {mark:?}: {:?}", self.read);
        }
    }

    /// Resolves when the server closes the connection; gives what came before that.
    pub(crate) async fn closed(&mut self) -> String {
        while self.more().await {}
        String::from_utf8(std::mem::take(&mut self.read)).unwrap()
    }

    async fn more(&mut self) -> bool {
        let mut piece = [0; 4096];
        let count = self.stream.read(&mut piece).await.unwrap_or(0);
        self.read.extend_from_slice(&piece[..count]);
        count > 0
    }
}

/// A ping, as a client sends it, with `headers` (each ended by CRLF) added.
pub(crate) fn ping(path: &str, headers: &str) -> String {
    post(path, headers, r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
}

/// A POST to a loopback name, with a JSON body.
pub(crate) fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
}

/// A request without a body to a loopback name.
pub(crate) fn bare(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
}
