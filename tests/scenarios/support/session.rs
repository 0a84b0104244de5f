//! A client with a session, as MCP clients up to revision 2025-11-25 hold one.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{Reply, Request, Response, sse::Events};

/// One client session on one endpoint.
#[derive(Clone)]
pub(crate) struct Session {
    address: SocketAddr,
    path: String,
    headers: Vec<(String, String)>,
    /// What `initialize` was answered.
    pub(crate) welcome: Value,
    /// The session id.
    pub(crate) id: String,
}

impl Session {
    /// Initialises a session.
    pub(crate) fn open(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        Self::open_as(address, path, headers, json!({}))
    }

    /// Initialises a session of a client that can be asked for what these capabilities say.
    pub(crate) fn open_as(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
        capabilities: Value,
    ) -> Self {
        let mut session = Self {
            address,
            path: path.to_owned(),
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            welcome: Value::Null,
            id: String::new(),
        };
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": capabilities,
            "clientInfo": {"name": "scenario", "version": "1"},
        });
        let answer = session.send(&message(json!(0), "initialize", &params));
        assert_eq!(answer.status, 200, "{}", answer.text());
        session.welcome = answer.reply().result();
        session.id = answer
            .header("mcp-session-id")
            .unwrap_or_default()
            .to_owned();
        assert!(!session.id.is_empty(), "initialize opens a session");
        session.tell("notifications/initialized", &json!({}));
        session
    }

    /// A POST of this session.
    pub(crate) fn post(&self, body: &str) -> Request {
        self.dressed(Request::post(&self.path, body))
    }

    /// A GET or DELETE of this session.
    pub(crate) fn request(&self, method: &str) -> Request {
        self.dressed(Request::new(method, &self.path))
            .header("accept", "text/event-stream")
    }

    /// Sends one body.
    pub(crate) fn send(&self, body: &str) -> Response {
        self.post(body).send(self.address).unwrap()
    }

    /// Sends one body and reads the answer event by event.
    pub(crate) fn stream(&self, body: &str) -> Events {
        Events::of(self.post(body).open(self.address).unwrap())
    }

    /// Opens the stream of what belongs to no call.
    pub(crate) fn listen(&self) -> Events {
        Events::of(self.request("GET").open(self.address).unwrap())
    }

    /// Ends the session.
    pub(crate) fn end(&self) -> Response {
        self.request("DELETE").send(self.address).unwrap()
    }

    /// Sends a request with id 1.
    pub(crate) fn ask(&self, method: &str, params: Value) -> Reply {
        self.send(&message(json!(1), method, &params)).reply()
    }

    /// Calls a tool with id 1.
    pub(crate) fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Sends a notification.
    pub(crate) fn tell(&self, method: &str, params: &Value) {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": params});
        let answer = self.send(&body.to_string());
        assert_eq!(answer.status, 202, "{}", answer.text());
    }

    /// Answers a request of the server with `result`.
    pub(crate) fn answer(&self, asked: &Value, result: Value) {
        self.reply(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": result}));
    }

    /// Sends a response as it is.
    pub(crate) fn reply(&self, response: &Value) {
        let taken = self.send(&response.to_string());
        assert_eq!(taken.status, 202, "{}", taken.text());
    }

    fn dressed(&self, request: Request) -> Request {
        let request = if self.id.is_empty() {
            request
        } else {
            request
                .header("mcp-session-id", &self.id)
                .header("mcp-protocol-version", "2025-06-18")
        };
        self.headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    }
}

/// A request as text.
pub(crate) fn message(id: Value, method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}
