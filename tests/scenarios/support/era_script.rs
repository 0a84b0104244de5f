//! What the scripted HTTP backend of either era does with what arrives.

use std::{
    collections::{BTreeSet, HashMap},
    io,
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    PATIENCE,
    frame::{self, Asked, Frame},
    modern_offer::{self, LEVELS, REVISION, log_line},
    offer,
    scripted_moods::JSON,
    wire::{Arrived, Wire},
};

const EVENTS: &str = "content-type: text/event-stream\r\n";
/// How often it is looked whether a connection is still there.
const LOOK: Duration = Duration::from_millis(5);

/// Which revisions it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Up to 2025-11-25.
    Legacy,
    /// 2026-07-28 alone.
    Modern,
}

/// What becomes of a stream for what belongs to no call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outside {
    /// It opens.
    Open,
    /// There is none: 405, or an unknown method.
    Refused,
    /// Its head never comes.
    Mute,
    /// Its head comes once this is another.
    Slow,
}

/// The backend behind all its connections.
pub(super) struct Shared(Mutex<State>);

pub(super) struct State {
    pub(super) era: Era,
    pub(super) outside: Outside,
    pub(super) open: bool,
    minted: usize,
    said: usize,
    pub(super) left: usize,
    /// The tools that it lists, if they are others than usual.
    pub(super) defined: Vec<Value>,
    pub(super) sessions: BTreeSet<String>,
    pub(super) arrived: Vec<Arrived>,
    waiting: HashMap<(String, String), mpsc::Sender<String>>,
    pub(super) streams: Vec<Stream>,
    pub(super) connections: Vec<TcpStream>,
}

/// An open stream for what belongs to no call. Dropped, it ends.
pub(super) struct Stream {
    pub(super) session: String,
    /// The id of the subscription.
    pub(super) id: String,
    number: usize,
    feed: mpsc::Sender<String>,
}

impl Shared {
    pub(super) fn new(era: Era) -> Self {
        Self(Mutex::new(State {
            era,
            outside: Outside::Open,
            open: true,
            minted: 0,
            said: 0,
            left: 0,
            defined: Vec::new(),
            sessions: BTreeSet::new(),
            arrived: Vec::new(),
            waiting: HashMap::new(),
            streams: Vec::new(),
            connections: Vec::new(),
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listen(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { continue };
            let mut state = self.state();
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
            self.state().arrived.push(arrived.clone());
            let era = self.state().era;
            let answered = match era {
                Era::Legacy => self.legacy(&mut wire, &arrived),
                Era::Modern => self.modern(&mut wire, &arrived),
            };
            if answered.is_err() {
                break;
            }
        }
        let _ = wire.hang_up();
    }

    fn legacy(&self, wire: &mut Wire, arrived: &Arrived) -> io::Result<()> {
        let session = arrived.header("mcp-session-id").unwrap_or_default();
        let is_known = self.state().sessions.contains(session);
        let frame = Frame::parse(&arrived.body);
        match (arrived.method.as_str(), frame) {
            ("POST", Some(frame)) if frame.method() == "initialize" => {
                self.initialize(wire, &frame)
            }
            // As the reference servers answer to what bears no session, and to one that they do not know.
            (_, frame) if !is_known => {
                let (status, words) = if session.is_empty() {
                    (400, "Bad Request: No valid session ID provided")
                } else {
                    (404, "Session not found")
                };
                let id = if status == 400 { None } else { frame };
                let id = id.as_ref().map_or("null", Frame::id);
                wire.answer(status, JSON, &frame::error(id, -32000, words))
            }
            ("POST", Some(frame)) => self.post(wire, session, &frame, &arrived.body),
            ("GET", _) => self.stream(wire, session.to_owned(), String::new()),
            ("DELETE", _) => {
                self.state().sessions.remove(session);
                wire.answer(200, "", "")
            }
            _ => wire.answer(400, JSON, &frame::error("null", -32700, "Parse error")),
        }
    }

    fn initialize(&self, wire: &mut Wire, frame: &Frame) -> io::Result<()> {
        let session = {
            let mut state = self.state();
            state.minted += 1;
            let session = format!("session-{}", state.minted);
            state.sessions.insert(session.clone());
            session
        };
        let mut identity = offer::identity("scripted-legacy");
        identity["capabilities"]["resources"] = json!({"subscribe": true, "listChanged": true});
        identity["capabilities"]["tasks"] = json!({"list": {}, "cancel": {}});
        let headers = format!("{JSON}mcp-session-id: {session}\r\n");
        wire.answer(
            200,
            &headers,
            &frame::result(frame.id(), &identity.to_string()),
        )
    }

    fn post(&self, wire: &mut Wire, session: &str, frame: &Frame, body: &str) -> io::Result<()> {
        let id = frame.id();
        if frame.method.is_none() {
            let key = (session.to_owned(), id.to_owned());
            if let Some(waiting) = self.state().waiting.remove(&key) {
                let _ = waiting.send(body.to_owned());
            }
        }
        if frame.method() == "notifications/hang" {
            return self.hang(wire);
        }
        if frame.id.is_none() || frame.method.is_none() {
            return wire.answer(202, "", "");
        }
        match frame.method() {
            "tools/call" => {
                let asked = frame.asked().ok_or(io::ErrorKind::InvalidData)?;
                self.call(wire, session, frame, &asked)
            }
            "tools/list" => {
                let tools = ["echo", "ask", "log", "hang", "late"].map(offer::tool);
                let tools = json!({"tools": tools}).to_string();
                wire.answer(200, JSON, &frame::result(id, &tools))
            }
            "resources/list" => {
                let list = r#"{"resources":[{"uri":"legacy:///one","name":"one"}]}"#;
                wire.answer(200, JSON, &frame::result(id, list))
            }
            "resources/templates/list" => {
                let list =
                    r#"{"resourceTemplates":[{"uriTemplate":"legacy:///{name}","name":"any"}]}"#;
                wire.answer(200, JSON, &frame::result(id, list))
            }
            "completion/complete" => {
                let complete = r#"{"completion":{"values":["one"]}}"#;
                wire.answer(200, JSON, &frame::result(id, complete))
            }
            _ => {
                let answer = offer::plain_answer(frame)
                    .unwrap_or_else(|| frame::error(id, -32601, "Method not found"));
                wire.answer(200, JSON, &answer)
            }
        }
    }

    fn call(&self, wire: &mut Wire, session: &str, frame: &Frame, asked: &Asked) -> io::Result<()> {
        let id = frame.id();
        if !frame.param("task").is_null() {
            let created = json!({"task": offer::task()}).to_string();
            return wire.answer(200, JSON, &frame::result(id, &created));
        }
        match asked.name.as_str() {
            "ask" => self.ask(wire, session, id, asked),
            "log" => {
                wire.begin(EVENTS)?;
                for level in LEVELS {
                    wire.chunk(event(&log_line(level)).as_bytes())?;
                }
                wire.chunk(event(&frame::said(id, "logged")).as_bytes())?;
                wire.end()
            }
            "hang" => self.hang(wire),
            "reveal" => {
                wire.begin(EVENTS)?;
                let changed = notification("", "notifications/tools/list_changed", &json!({}));
                wire.chunk(event(&changed).as_bytes())?;
                wire.chunk(event(&frame::said(id, "revealed")).as_bytes())?;
                wire.end()
            }
            _ => {
                let text = asked.argument("message");
                let text = frame::said(id, text.as_str().unwrap_or_default());
                wire.answer(200, JSON, &text)
            }
        }
    }

    /// Asks its client on the stream of the call, and says what it was answered.
    fn ask(&self, wire: &mut Wire, session: &str, id: &str, asked: &Asked) -> io::Result<()> {
        let theirs = asked.argument("id");
        let answer = self.wait_for(session, &theirs.to_string());
        let (method, params) = (asked.argument("method"), asked.argument("params"));
        let request = json!({"jsonrpc": "2.0", "id": theirs, "method": method, "params": params});
        wire.begin(EVENTS)?;
        wire.chunk(event(&request.to_string()).as_bytes())?;
        if asked.argument("waits") == false {
            wire.chunk(event(&frame::said(id, "did not wait")).as_bytes())?;
            return wire.end();
        }
        let answer = answer
            .recv_timeout(PATIENCE)
            .map_err(|_| io::ErrorKind::TimedOut)?;
        wire.chunk(event(&frame::said(id, &answer)).as_bytes())?;
        wire.end()
    }

    fn hang(&self, wire: &mut Wire) -> io::Result<()> {
        while !wire.is_closed() {
            thread::sleep(LOOK);
        }
        self.state().left += 1;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    fn hold(&self, wire: &mut Wire) {
        while self.state().outside == Outside::Slow && !wire.is_closed() {
            thread::sleep(LOOK);
        }
    }

    fn modern(&self, wire: &mut Wire, arrived: &Arrived) -> io::Result<()> {
        if arrived.method != "POST" {
            return wire.answer(405, "", "");
        }
        let Some(frame) = Frame::parse(&arrived.body) else {
            return wire.answer(400, JSON, &frame::error("null", -32700, "Parse error"));
        };
        if frame.id.is_none() {
            return wire.answer(202, "", "");
        }
        let is_modern = arrived.header("mcp-protocol-version") == Some(REVISION);
        let defined = self.state().defined.clone();
        let wrong = || mismatch(arrived, &frame).or_else(|| unsaid(&defined, arrived, &frame));
        if is_modern && let Some(wrong) = wrong() {
            return wire.answer(400, JSON, &frame::error(frame.id(), -32020, &wrong));
        }
        if frame.method() == "tools/list" && !defined.is_empty() {
            let list = json!({"tools": defined, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"});
            return wire.answer(200, JSON, &frame::result(frame.id(), &list.to_string()));
        }
        if frame.method() == "subscriptions/listen" {
            let session = arrived.header("mcp-session-id").unwrap_or_default();
            return self.subscribe(wire, session.to_owned(), &frame);
        }
        let Some(answered) = modern_offer::answer(&frame) else {
            return self.hang(wire);
        };
        if answered.before.is_empty() {
            return wire.answer(answered.status, JSON, &answered.text);
        }
        wire.begin(EVENTS)?;
        for said in answered.before.iter().chain([&answered.text]) {
            wire.chunk(event(said).as_bytes())?;
        }
        wire.end()
    }

    fn subscribe(&self, wire: &mut Wire, session: String, frame: &Frame) -> io::Result<()> {
        let outside = self.state().outside;
        if outside == Outside::Refused {
            let error = frame::error(frame.id(), -32601, "Method not found");
            return wire.answer(404, JSON, &error);
        }
        self.stream(wire, session, frame.id().to_owned())
    }

    /// A stream that the test feeds.
    fn stream(&self, wire: &mut Wire, session: String, id: String) -> io::Result<()> {
        let outside = self.state().outside;
        match outside {
            Outside::Refused => return wire.answer(405, "", ""),
            Outside::Mute => return self.hang(wire),
            Outside::Slow => self.hold(wire),
            Outside::Open => {}
        }
        wire.begin(EVENTS)?;
        wire.chunk(b"retry: 10\ndata:\n\n")?;
        let (feed, fed) = mpsc::channel();
        if !id.is_empty() {
            let acknowledged = "notifications/subscriptions/acknowledged";
            wire.chunk(event(&notification(&id, acknowledged, &json!({}))).as_bytes())?;
        }
        let number = {
            let mut state = self.state();
            state.minted += 1;
            let number = state.minted;
            state.streams.push(Stream {
                session,
                id,
                number,
                feed,
            });
            number
        };
        let fed = pour(wire, &fed);
        self.state().streams.retain(|it| it.number != number);
        fed
    }

    pub(super) fn wait_for(&self, session: &str, id: &str) -> mpsc::Receiver<String> {
        let (sender, answer) = mpsc::channel();
        let key = (session.to_owned(), id.to_owned());
        self.state().waiting.insert(key, sender);
        answer
    }

    pub(super) fn tell(&self, session: Option<&str>, method: &str, params: &Value) {
        self.feed(session, |id| notification(id, method, params));
    }

    /// Puts a message on each stream, under an event id of its own.
    pub(super) fn feed(&self, session: Option<&str>, message: impl Fn(&str) -> String) {
        let mut state = self.state();
        state.said += 1;
        let number = state.said;
        let concerns = |it: &&Stream| session.is_none_or(|session| session == it.session);
        for stream in state.streams.iter().filter(concerns) {
            let event = event(&message(&stream.id));
            let _ = stream.feed.send(format!("id: said-{number}\n{event}"));
        }
    }
}

/// What of the head of a modern request does not say what its body says.
fn mismatch(arrived: &Arrived, frame: &Frame) -> Option<String> {
    let said = |name: &str| arrived.header(name).unwrap_or_default().to_owned();
    if said("mcp-method") != frame.method() {
        return Some(format!("Mcp-Method says {}", said("mcp-method")));
    }
    let subject = match frame.method() {
        "tools/call" | "prompts/get" => frame.param("name"),
        "resources/read" => frame.param("uri"),
        _ => return None,
    };
    let name = said("mcp-name");
    (subject != name.as_str()).then(|| format!("Mcp-Name says {name}"))
}

/// What of the arguments of a defined tool is not said in the header that its definition names.
fn unsaid(defined: &[Value], arrived: &Arrived, frame: &Frame) -> Option<String> {
    let asked = frame.asked().filter(|_| frame.method() == "tools/call")?;
    let tool = defined.iter().find(|tool| tool["name"] == *asked.name)?;
    let properties = tool["inputSchema"]["properties"].as_object()?;
    properties.iter().find_map(|(name, property)| {
        let header = format!("mcp-param-{}", property["x-mcp-header"].as_str()?);
        let said = arrived.header(&header.to_lowercase());
        (asked.argument(name) != json!(said)).then(|| format!("{header} says {said:?}"))
    })
}

/// A notification, tagged where it is one of a subscription.
fn notification(id: &str, method: &str, params: &Value) -> String {
    let mut params = params.clone();
    if !id.is_empty() {
        let id: Value = serde_json::from_str(id).unwrap_or_default();
        params["_meta"]["io.modelcontextprotocol/subscriptionId"] = id;
    }
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

fn pour(wire: &mut Wire, fed: &mpsc::Receiver<String>) -> io::Result<()> {
    loop {
        match fed.recv_timeout(LOOK) {
            Ok(text) => wire.chunk(text.as_bytes())?,
            Err(mpsc::RecvTimeoutError::Disconnected) => return wire.end(),
            Err(mpsc::RecvTimeoutError::Timeout) if wire.is_closed() => {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

fn event(data: &str) -> String {
    format!("data: {data}\n\n")
}
