//! A Streamable HTTP MCP server inside the test process: it counts what arrives, and its mood can be changed while it runs.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    frame::{self, Frame},
    offer,
    scripted_events::STREAMED,
    scripted_moods::{JSON, Mood},
    wire::{Arrived, Wire},
};

/// How the backend says that it does not know a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forgetting {
    /// HTTP 404, as the specification says.
    NotFound,
    /// HTTP 404 with an error in words of its own.
    InOwnWords,
    /// HTTP 200 with a JSON-RPC error inside, as some servers do.
    ErrorInside,
}

/// A scripted HTTP backend; it stops when dropped.
pub(crate) struct HttpBackend {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
}

struct State {
    mood: Mood,
    moods: HashMap<String, Mood>,
    forgetting: Forgetting,
    open: bool,
    sessions: BTreeSet<String>,
    minted: usize,
    arrived: Vec<Arrived>,
    ran: Vec<String>,
    connections: Vec<TcpStream>,
}

impl HttpBackend {
    /// A backend that listens on a free port and feels well.
    pub(crate) fn start() -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                mood: Mood::Well,
                moods: HashMap::new(),
                forgetting: Forgetting::NotFound,
                open: false,
                sessions: BTreeSet::new(),
                minted: 0,
                arrived: Vec::new(),
                ran: Vec::new(),
                connections: Vec::new(),
            }),
        });
        let mut backend = Self {
            shared,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            listening: None,
        };
        backend.reopen();
        backend
    }

    /// Its endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its entry under `backends` in the configuration.
    pub(crate) fn config(&self) -> Value {
        json!({"http_url": self.url()})
    }

    /// Changes how it takes calls; calls that hang are answered in the new mood.
    pub(crate) fn feel(&self, mood: Mood) {
        self.shared.state.lock().unwrap().mood = mood;
    }

    /// Changes how it takes the calls of one tool, whatever its mood.
    pub(crate) fn feel_about(&self, tool: &str, mood: Mood) {
        let mut state = self.shared.state.lock().unwrap();
        state.moods.insert(tool.to_owned(), mood);
    }

    /// Forgets every session, as a restarted server does.
    pub(crate) fn forget(&self, forgetting: Forgetting) {
        let mut state = self.shared.state.lock().unwrap();
        state.forgetting = forgetting;
        state.sessions.clear();
    }

    /// Closes the port and every connection: from now on connecting is refused.
    pub(crate) fn close(&mut self) {
        {
            let mut state = self.shared.state.lock().unwrap();
            state.open = false;
            for connection in state.connections.drain(..) {
                let _ = connection.shutdown(Shutdown::Both);
            }
        }
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }

    /// Listens again on the port it had, knowing no session.
    pub(crate) fn reopen(&mut self) {
        let listener = TcpListener::bind(self.address).unwrap();
        self.address = listener.local_addr().unwrap();
        self.forget(Forgetting::NotFound);
        self.shared.state.lock().unwrap().open = true;
        let shared = Arc::clone(&self.shared);
        self.listening = Some(thread::spawn(move || shared.listen(&listener)));
    }

    /// How often a tool may have run: calls whose session was known and that no status refused.
    pub(crate) fn calls(&self, tool: &str) -> usize {
        let state = self.shared.state.lock().unwrap();
        state.ran.iter().filter(|ran| *ran == tool).count()
    }

    /// How often a call of a tool arrived, refused or not.
    pub(crate) fn arrivals(&self, tool: &str) -> usize {
        self.messages()
            .iter()
            .filter(|frame| frame.called_tool().as_deref() == Some(tool))
            .count()
    }

    /// How often a method was asked.
    pub(crate) fn asked(&self, method: &str) -> usize {
        self.messages()
            .iter()
            .filter(|frame| frame.method() == method)
            .count()
    }

    /// Every request that arrived.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.shared.state.lock().unwrap().arrived.clone()
    }

    fn messages(&self) -> Vec<Frame> {
        let state = self.shared.state.lock().unwrap();
        state
            .arrived
            .iter()
            .filter_map(|arrived| Frame::parse(&arrived.body))
            .collect()
    }
}

impl Drop for HttpBackend {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let mut state = self.state.lock().unwrap();
            if !state.open {
                return;
            }
            state.connections.extend(stream.try_clone());
            let shared = Arc::clone(self);
            thread::spawn(move || shared.converse(Wire::on(stream)));
        }
    }

    fn converse(&self, mut wire: Wire) {
        while let Some(arrived) = wire.receive() {
            if self.answer(&mut wire, &arrived).is_err() {
                break;
            }
        }
        let _ = wire.hang_up();
    }

    fn answer(&self, wire: &mut Wire, arrived: &Arrived) -> io::Result<()> {
        self.state.lock().unwrap().arrived.push(arrived.clone());
        if arrived.method != "POST" {
            let status = if arrived.method == "DELETE" { 200 } else { 405 };
            return wire.answer(status, "", "");
        }
        let Some(frame) = Frame::parse(&arrived.body) else {
            return wire.answer(400, JSON, &frame::error("null", -32700, "Parse error"));
        };
        if frame.method() == "initialize" {
            return self.initialize(wire, &frame);
        }
        if !self.knows(arrived) {
            return self.deny(wire, &frame);
        }
        if frame.id.is_none() || frame.method.is_none() {
            return wire.answer(202, "", "");
        }
        match frame.method() {
            "tools/call" => self.call(wire, &frame),
            "tools/list" => {
                let tools: Vec<_> = ["echo", "safe_echo", "verbatim", "mirror"]
                    .iter()
                    .chain(STREAMED)
                    .map(|name| offer::tool(name))
                    .collect();
                let tools = json!({"tools": tools}).to_string();
                wire.answer(200, JSON, &frame::result(frame.id(), &tools))
            }
            _ => {
                let answer = offer::plain_answer(&frame)
                    .unwrap_or_else(|| frame::error(frame.id(), -32601, "Method not found"));
                wire.answer(200, JSON, &answer)
            }
        }
    }

    fn initialize(&self, wire: &mut Wire, frame: &Frame) -> io::Result<()> {
        let session = {
            let mut state = self.state.lock().unwrap();
            state.minted += 1;
            let session = format!("scripted-session-{}", state.minted);
            state.sessions.insert(session.clone());
            session
        };
        let headers = format!("{JSON}mcp-session-id: {session}\r\n");
        let identity = offer::identity("scripted-http").to_string();
        wire.answer(200, &headers, &frame::result(frame.id(), &identity))
    }

    fn knows(&self, arrived: &Arrived) -> bool {
        let state = self.state.lock().unwrap();
        arrived
            .header("mcp-session-id")
            .is_some_and(|session| state.sessions.contains(session))
    }

    fn deny(&self, wire: &mut Wire, frame: &Frame) -> io::Result<()> {
        let (status, words) = match self.state.lock().unwrap().forgetting {
            Forgetting::NotFound => (404, "Session not found"),
            Forgetting::InOwnWords => (404, "never heard of you"),
            Forgetting::ErrorInside => (200, "Session not found"),
        };
        let error = frame::error(frame.id(), -32000, words);
        wire.answer(status, JSON, &error)
    }

    fn call(&self, wire: &mut Wire, frame: &Frame) -> io::Result<()> {
        let tool = frame.called_tool().unwrap_or_default();
        self.note(&tool);
        let mood = self.settled_mood(wire, &tool)?;
        mood.answer(wire, frame)
    }

    fn note(&self, tool: &str) {
        let mut state = self.state.lock().unwrap();
        if !matches!(state.mood_about(tool), Mood::Status(400..=499, _)) {
            state.ran.push(tool.to_owned());
        }
    }

    /// The mood once it is no longer to hang.
    fn settled_mood(&self, wire: &mut Wire, tool: &str) -> io::Result<Mood> {
        loop {
            let (mood, open) = {
                let state = self.state.lock().unwrap();
                (state.mood_about(tool), state.open)
            };
            if mood != Mood::Hanging {
                return Ok(mood);
            }
            if !open || wire.is_closed() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl State {
    fn mood_about(&self, tool: &str) -> Mood {
        self.moods.get(tool).copied().unwrap_or(self.mood)
    }
}
