//! An HTTP backend played by a test, which reads and writes raw bytes at the wire.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    backend::{
        Answer, Backend, BackendSettings, Call, CallError, EventReceiver, HttpSettings, Speaker,
        TransportSettings, events,
    },
    protocol::Message,
    telemetry::{Clock, RequestId, Secret, Trace},
};

/// The credential that the gateway sends.
pub(super) const CREDENTIAL: &str = "Bearer hunter2-and-more";
/// Longer than any test takes.
pub(super) const LONG: Duration = Duration::from_secs(20);

/// A backend under test, and the door at which it knocks.
pub(super) struct Stage {
    pub(super) backend: Arc<Backend>,
    listener: TcpListener,
}

/// One connection that the gateway opened.
pub(super) struct Peer(BufReader<TcpStream>);

/// One request as it was read.
pub(super) struct Heard {
    pub(super) head: String,
    pub(super) message: Option<Message>,
}

impl Stage {
    pub(super) async fn set() -> Self {
        Self::with(Clock::new(), |_| ()).await
    }

    pub(super) async fn with(clock: Clock, change: impl FnOnce(&mut BackendSettings)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/mcp?key=s3cret", listener.local_addr().unwrap());
        let http = HttpSettings {
            url: url.parse().unwrap(),
            headers: vec![(http::header::AUTHORIZATION, Secret::new(CREDENTIAL))],
        };
        let mut settings = BackendSettings::new("played", TransportSettings::Http(http));
        change(&mut settings);
        Self {
            backend: Backend::new(settings, clock),
            listener,
        }
    }

    pub(super) async fn accept(&self) -> Peer {
        let accepted = timeout(LONG, self.listener.accept()).await;
        let (stream, _) = accepted.expect("the gateway does not connect").unwrap();
        Peer(BufReader::new(stream))
    }

    /// A call of tool `name`, which is not safe to repeat.
    pub(super) fn call(&self, name: &str) -> JoinHandle<Result<Answer, CallError>> {
        self.ask(call(name))
    }

    pub(super) fn ask(&self, call: Call<'static>) -> JoinHandle<Result<Answer, CallError>> {
        let backend = Arc::clone(&self.backend);
        tokio::spawn(async move { backend.request(&call).await })
    }

    /// A session is open, and this is its connection.
    pub(super) async fn opened(&self) -> Peer {
        let call = self.call("first");
        let mut peer = self.accept().await;
        peer.open("one").await;
        let heard = peer.hear().await;
        peer.result(&heard, "{}").await;
        call.await.unwrap().unwrap();
        peer
    }

    /// Returns once everything that has happened on our sockets has been noticed: a newer event has gone through the
    /// same queue of the operating system.
    pub(super) async fn settle(&self) {
        for _ in 0..2 {
            let address = self.listener.local_addr().unwrap();
            let (visitor, _) = tokio::join!(TcpStream::connect(address), self.listener.accept());
            drop(visitor.unwrap());
        }
    }
}

pub(super) fn call(name: &str) -> Call<'static> {
    let params = format!(r#"{{"name":"{name}","_meta":{{"progressToken":"theirs"}}}}"#);
    Call {
        message: Message::request(br#""mine""#, "tools/call", Some(params.as_bytes())),
        speaker: Speaker::GATEWAY,
        caller: "",
        request_id: RequestId::random(),
        trace: Trace::none(),
        started: Clock::new().now(),
        began: Instant::now(),
        deadline: Instant::now() + LONG,
        limited: true,
        spent: None,
        repeatable: false,
        tool: None,
        events: None,
        line: None,
        param_headers: &[],
        patience: None,
    }
}

/// A call whose events can be read.
pub(super) fn listening(name: &str) -> (Call<'static>, EventReceiver) {
    let (events, received) = events(16);
    let call = Call {
        events: Some(events),
        ..call(name)
    };
    (call, received)
}

impl Peer {
    pub(super) async fn hear(&mut self) -> Heard {
        let heard = timeout(LONG, self.read()).await;
        heard
            .expect("nothing is sent")
            .expect("the gateway hung up")
    }

    /// Waits until the gateway closes the connection; whatever it still sends must be nothing.
    pub(super) async fn closed(mut self) {
        let heard = timeout(LONG, self.read()).await;
        let heard = heard.expect("the connection stays open");
        assert!(heard.is_none(), "another request came");
    }

    async fn read(&mut self) -> Option<Heard> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let head = head.to_ascii_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).await.ok()?;
        let message = (!body.is_empty()).then(|| Message::parse(body.into()).unwrap());
        Some(Heard { head, message })
    }

    pub(super) async fn say(&mut self, text: impl AsRef<[u8]>) {
        self.0.write_all(text.as_ref()).await.unwrap();
    }

    /// Answers with `status`, further `headers` (each with its line end) and `body`.
    pub(super) async fn answer(&mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.say(format!(
            "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\n\r\n{body}"
        ))
        .await;
    }

    pub(super) async fn json(&mut self, body: &str) {
        self.answer("200 OK", "content-type: application/json\r\n", body)
            .await;
    }

    pub(super) async fn result(&mut self, heard: &Heard, result: &str) {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
            heard.id()
        );
        self.json(&body).await;
    }

    /// Begins an event stream of which each chunk is written by [`Peer::chunk`].
    pub(super) async fn stream(&mut self) {
        self.say("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            .await;
    }

    pub(super) async fn chunk(&mut self, bytes: &[u8]) {
        self.say(format!("{:x}\r\n", bytes.len())).await;
        self.say(bytes).await;
        self.say("\r\n").await;
    }

    /// Plays the handshake; an empty `session` stands for a backend without sessions.
    pub(super) async fn open(&mut self, session: &str) {
        let heard = self.hear().await;
        assert_eq!(heard.method(), Some("initialize"));
        self.welcome(&heard, session).await;
    }

    pub(super) async fn welcome(&mut self, heard: &Heard, session: &str) {
        self.welcome_as(heard, session, "{}").await;
    }

    /// Says that it has these `capabilities`.
    pub(super) async fn welcome_as(&mut self, heard: &Heard, session: &str, capabilities: &str) {
        let session = match session {
            "" => String::new(),
            id => format!("Mcp-Session-Id: {id}\r\n"),
        };
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{{"protocolVersion":"2025-06-18","capabilities":{capabilities},"serverInfo":{{"name":"p","version":"1"}}}}}}"#,
            heard.id()
        );
        let headers = format!("content-type: application/json\r\n{session}");
        self.answer("200 OK", &headers, &body).await;
        let heard = self.hear().await;
        assert_eq!(heard.method(), Some("notifications/initialized"));
        self.say("HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n")
            .await;
    }
}

impl Heard {
    pub(super) fn method(&self) -> Option<&str> {
        self.message.as_ref()?.method()
    }

    /// The tool that is called.
    pub(super) fn tool(&self) -> String {
        let name = self.message.as_ref().and_then(Message::name);
        name.unwrap_or_default().into_owned()
    }

    pub(super) fn id(&self) -> String {
        let id = self.message.as_ref().and_then(Message::id);
        String::from_utf8(id.unwrap().to_vec()).unwrap()
    }
}
