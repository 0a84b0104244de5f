//! An MCP server of the first revision inside the test process: one event stream, and an address to post to.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    frame::{self, Frame},
    offer,
    wire::{Arrived, Wire},
};

/// How long the text of what is too long is, in bytes.
const LONG: usize = 100_000;

/// A scripted backend behind HTTP with SSE; it stops when dropped.
pub(crate) struct SseBackend {
    shared: Arc<Shared>,
    address: SocketAddr,
}

/// What the stream begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begins {
    /// With the address of the server itself.
    Well,
    /// With the address of another one.
    Elsewhere,
}

struct Shared {
    begins: Begins,
    streams: Mutex<Vec<Wire>>,
    connections: Mutex<Vec<TcpStream>>,
    arrived: Mutex<Vec<Arrived>>,
}

impl SseBackend {
    /// A backend on a free port.
    pub(crate) fn start(begins: Begins) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            begins,
            streams: Mutex::default(),
            connections: Mutex::default(),
            arrived: Mutex::default(),
        });
        let listening = Arc::clone(&shared);
        thread::spawn(move || listening.listen(&listener));
        Self { shared, address }
    }

    /// Its entry under `backends` in the configuration: nothing but the address.
    pub(crate) fn config(&self) -> Value {
        json!({"http_url": format!("http://{}/sse", self.address)})
    }

    /// Ends every stream, as a restarted server does.
    pub(crate) fn hang_up(&self) {
        self.shared.streams.lock().unwrap().clear();
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// The messages of a method that reached it.
    pub(crate) fn received(&self, method: &str) -> Vec<String> {
        let arrived = self.shared.arrived.lock().unwrap();
        arrived
            .iter()
            .filter(|arrived| Frame::parse(&arrived.body).is_some_and(|it| it.method() == method))
            .map(|arrived| arrived.body.clone())
            .collect()
    }
}

impl Drop for SseBackend {
    fn drop(&mut self) {
        self.hang_up();
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            let kept = stream.try_clone();
            self.connections.lock().unwrap().extend(kept);
            let shared = Arc::clone(self);
            thread::spawn(move || shared.converse(Wire::on(stream)));
        }
    }

    fn converse(self: &Arc<Self>, mut wire: Wire) {
        while let Some(arrived) = wire.receive() {
            if arrived.method == "GET" {
                return self.open(wire);
            }
            let is_post = arrived.method == "POST" && !arrived.body.contains("\"server/discover\"");
            // Its stream takes nothing, and to the other address nobody posts before the stream is open.
            let status = match is_post && !self.streams.lock().unwrap().is_empty() {
                true => 202,
                false => 405,
            };
            if wire.answer(status, "", "").is_err() {
                return;
            }
            self.arrived.lock().unwrap().push(arrived.clone());
            if status == 202 {
                let shared = Arc::clone(self);
                thread::spawn(move || shared.answer(&arrived));
            }
        }
    }

    fn open(&self, mut wire: Wire) {
        let address = match self.begins {
            Begins::Well => "/messages?session=one",
            Begins::Elsewhere => "http://127.0.0.1:1/messages",
        };
        // Known before it is named: whoever reads the name posts at once.
        let mut streams = self.streams.lock().unwrap();
        let begun = wire.begin("content-type: text/event-stream\r\n");
        let event = format!("event: endpoint\r\ndata: {address}\r\n\r\n");
        if begun.and_then(|()| wire.chunk(event.as_bytes())).is_ok() {
            streams.push(wire);
        }
    }

    fn answer(&self, arrived: &Arrived) -> io::Result<()> {
        let Some(frame) = Frame::parse(&arrived.body).filter(|frame| frame.id.is_some()) else {
            return Ok(());
        };
        match (frame.method(), frame.called_tool().as_deref()) {
            ("initialize", _) => {
                let identity = offer::identity("scripted-sse").to_string();
                self.say(&frame::result(frame.id(), &identity))
            }
            (_, Some("slow")) => {
                thread::sleep(Duration::from_millis(200));
                self.say(&frame::said(frame.id(), "slow"))
            }
            (_, Some("mute")) => Ok(()),
            (_, Some("long")) => self.say(&frame::said(frame.id(), &"x".repeat(LONG))),
            (_, Some("long_notice")) => {
                let params = json!({"level": "info", "data": "x".repeat(LONG)});
                self.say(
                    &json!({"jsonrpc": "2.0", "method": "notifications/message", "params": params})
                        .to_string(),
                )?;
                self.say(&frame::said(frame.id(), "after the notice"))
            }
            (_, Some(tool)) => self.say(&frame::said(frame.id(), tool)),
            _ => match offer::plain_answer(&frame) {
                Some(answer) => self.say(&answer),
                None => self.say(&frame::error(frame.id(), -32601, "Method not found")),
            },
        }
    }

    /// One message in two lines of data, as the framing allows.
    fn say(&self, message: &str) -> io::Result<()> {
        let (head, tail) = message.split_once(',').unwrap_or((message, ""));
        let event = format!("event: message\ndata: {head},\ndata: {tail}\n\n");
        let mut streams = self.streams.lock().unwrap();
        streams
            .last_mut()
            .map_or(Ok(()), |wire| wire.chunk(event.as_bytes()))
    }
}
