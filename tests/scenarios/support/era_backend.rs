//! A scripted HTTP backend of either era as a test holds it: it asks its clients, and has a stream for what belongs to no call
//! that the test feeds.

use std::{
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
};

use serde_json::{Value, json};

use super::{
    PATIENCE,
    era_script::{Era, Outside, Shared},
    frame::Frame,
    until,
    wire::Arrived,
};

/// One backend; it stops when dropped.
pub(crate) struct EraBackend {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: Option<JoinHandle<()>>,
}

impl EraBackend {
    /// A backend of this era on a free port.
    pub(crate) fn start(era: Era) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::new(era));
        let listening = Arc::clone(&shared);
        Self {
            shared,
            address,
            listening: Some(thread::spawn(move || listening.listen(&listener))),
        }
    }

    /// Its entry under `backends` in the configuration.
    pub(crate) fn config(&self) -> Value {
        json!({"http_url": format!("http://{}/mcp", self.address)})
    }

    /// Takes its place on the same port with one that knows nothing of what was.
    pub(crate) fn becomes(&self, era: Era) {
        let mut state = self.shared.state();
        state.era = era;
        state.sessions.clear();
        state.streams.clear();
        for connection in state.connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// What a modern one lists as its tools from now on. Which of their arguments are repeated in headers, it demands.
    pub(crate) fn defines(&self, tools: &[Value]) {
        self.shared.state().defined = tools.to_vec();
    }

    /// What becomes of streams for what belongs to no call, from now on.
    pub(crate) fn outside(&self, outside: Outside) {
        self.shared.state().outside = outside;
    }

    /// Every request that arrived.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.shared.state().arrived.clone()
    }

    /// The requests whose body is of this method.
    pub(crate) fn received(&self, method: &str) -> Vec<Arrived> {
        let is_it = |arrived: &Arrived| {
            Frame::parse(&arrived.body).is_some_and(|frame| frame.method() == method)
        };
        self.arrived().into_iter().filter(is_it).collect()
    }

    /// The requests of this HTTP method.
    pub(crate) fn requests(&self, method: &str) -> Vec<Arrived> {
        let is_it = |arrived: &Arrived| arrived.method == method;
        self.arrived().into_iter().filter(is_it).collect()
    }

    /// How many calls that hang were left by their client.
    pub(crate) fn left(&self) -> usize {
        self.shared.state().left
    }

    /// The sessions that are open.
    pub(crate) fn sessions(&self) -> Vec<String> {
        self.shared.state().sessions.iter().cloned().collect()
    }

    /// Waits until `count` streams for what belongs to no call are open; their sessions, in the order in which those began.
    pub(crate) fn listeners(&self, count: usize) -> Vec<String> {
        until(&format!("{count} streams are open"), || {
            let state = self.shared.state();
            let mut sessions: Vec<_> = state.streams.iter().map(|it| it.session.clone()).collect();
            // They are numbered; which of two streams is open first is chance.
            sessions.sort_by_key(|session| (session.len(), session.clone()));
            (sessions.len() == count).then_some(sessions)
        })
    }

    /// The ids of the subscriptions that are open.
    pub(crate) fn subscriptions(&self) -> Vec<String> {
        let state = self.shared.state();
        state.streams.iter().map(|it| it.id.clone()).collect()
    }

    /// Says a notification on every such stream.
    pub(crate) fn tell(&self, method: &str, params: Value) {
        self.shared.tell(None, method, &params);
    }

    /// Says it on the stream of one session.
    pub(crate) fn tell_one(&self, session: &str, method: &str, params: Value) {
        self.shared.tell(Some(session), method, &params);
    }

    /// Asks on the stream of one session; where the answer comes.
    pub(crate) fn ask(&self, session: &str, id: Value, method: &str) -> mpsc::Receiver<String> {
        let answer = self.shared.wait_for(session, &id.to_string());
        let request = json!({"jsonrpc": "2.0", "id": id, "method": method});
        self.shared.feed(Some(session), |_| request.to_string());
        answer
    }

    /// Ends every such stream.
    pub(crate) fn end_streams(&self) {
        self.shared.state().streams.clear();
    }
}

/// The answer to what was asked.
pub(crate) fn answer_of(answers: &mpsc::Receiver<String>) -> Value {
    let answer = answers.recv_timeout(PATIENCE).unwrap();
    serde_json::from_str(&answer).unwrap()
}

impl Drop for EraBackend {
    fn drop(&mut self) {
        self.shared.state().open = false;
        self.becomes(Era::Legacy);
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}
