//! A client of the first revision: one event stream, and an address to post to.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::asked::{askable, elicit};
use crate::support::{
    Era, EraBackend, Events, Gateway, Request, Response, Setup, StdioBackend, Way, message, until,
};

const CHANGED: &str = "notifications/tools/list_changed";

/// A client and what it has heard so far.
struct Client<'a> {
    gateway: &'a Gateway,
    key: Option<&'static str>,
    address: String,
    hears: Events,
    passed_over: Vec<Value>,
}

impl<'a> Client<'a> {
    fn open(gateway: &'a Gateway, path: &str) -> Self {
        Self::with_key(gateway, path, None)
    }

    fn with_key(gateway: &'a Gateway, path: &str, key: Option<&'static str>) -> Self {
        let request = authorized(Request::new("GET", path), key);
        let stream = request.header("accept", "text/event-stream");
        let stream = stream.open(gateway.address()).unwrap();
        assert_eq!(stream.status, 200);
        let mut hears = Events::of(stream);
        let address = hears.next().unwrap().unwrap();
        Self {
            gateway,
            key,
            address,
            hears,
            passed_over: Vec::new(),
        }
    }

    /// One that has introduced itself, with these capabilities.
    fn initialized(gateway: &'a Gateway, path: &str, capabilities: Value) -> Self {
        let mut client = Self::open(gateway, path);
        client.initialize(capabilities);
        client
    }

    fn initialize(&mut self, capabilities: Value) {
        let params = json!({"protocolVersion": "2024-11-05", "capabilities": capabilities, "clientInfo": {"name": "x", "version": "1"}});
        self.ask(json!(0), "initialize", params);
        assert_eq!(self.hear()["result"]["protocolVersion"], "2024-11-05");
        self.say(&tell("notifications/initialized", json!({})));
    }

    fn post(&self, body: &str) -> Response {
        let request = Request::post(&self.address, body).header("accept", "*/*");
        self.gateway.send(&authorized(request, self.key))
    }

    fn say(&self, body: &str) {
        let answer = self.post(body);
        assert_eq!((answer.status, answer.text().as_str()), (202, ""));
    }

    fn ask(&self, id: Value, method: &str, params: Value) {
        self.say(&message(id, method, &params));
    }

    fn call(&self, id: Value, tool: &str, arguments: Value) {
        self.ask(
            id,
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
        );
    }

    /// The next message but those that say that a list is another one now.
    fn hear(&mut self) -> Value {
        loop {
            let heard = self.next().unwrap();
            if heard["method"] != CHANGED {
                return heard;
            }
            self.passed_over.push(heard);
        }
    }

    fn next(&mut self) -> Option<Value> {
        let heard = self.hears.next().unwrap()?;
        let heard: Value = serde_json::from_str(&heard.replace("1e400", "0")).unwrap();
        assert_eq!(heard["jsonrpc"], "2.0");
        Some(heard)
    }
}

fn authorized(request: Request, key: Option<&str>) -> Request {
    match key {
        Some(key) => request.header("authorization", &format!("Bearer {key}")),
        None => request,
    }
}

fn tell(method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

fn before(backend: &StdioBackend) -> Gateway {
    Setup::config(json!({
        "meta_mcp": {"enabled": false, "naming": "plain"},
        "backends": {"backend": backend.config()},
    }))
    .start()
}

fn is_cancelled(backend: &StdioBackend) {
    until("the backend hears of it", || {
        (!backend.received("notifications/cancelled").is_empty()).then_some(())
    });
}

fn is_called(backend: &StdioBackend, tool: &str) {
    until("the call arrives", || {
        (backend.calls(tool) == 1).then_some(())
    });
}

pub(crate) fn all_and_one() {
    let backend = StdioBackend::new(&[]);
    let gateway = before(&backend);
    for (path, address) in [
        ("/sse", "/message?"),
        ("/mcp/backend/sse", "/mcp/backend/message?"),
    ] {
        let mut client = Client::initialized(&gateway, path, json!({}));
        assert!(client.address.starts_with(address), "{}", client.address);
        client.ask(json!("l"), "tools/list", json!({}));
        assert!(client.hear()["result"]["tools"].as_array().unwrap().len() > 5);
        client.call(json!(1), "echo", json!({"message": "hi"}));
        let heard = client.hear();
        assert_eq!(heard["result"]["content"][0]["text"], "hi", "{heard}");
        assert_eq!(client.post("no JSON").status, 400);
    }
    let nowhere = gateway.page("/mcp/backnd/sse");
    assert_eq!(nowhere.status, 404);
    assert!(nowhere.text().contains("backend"), "{}", nowhere.text());
    let wrong = gateway.send(&Request::post("/sse", "{}"));
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET")));
}

pub(crate) fn side_by_side() {
    let backend = StdioBackend::new(&[]);
    let gateway = before(&backend);
    let mut client = Client::initialized(&gateway, "/mcp/backend/sse", json!({}));
    client.call(json!(1), "hang", json!({}));
    is_called(&backend, "hang");
    client.call(json!(2), "echo", json!({"message": "first"}));
    assert_eq!(client.hear()["id"], 2);
    client.call(json!(1), "echo", json!({}));
    assert_eq!(client.hear()["error"]["code"], -32600, "the id is in use");
    client.say(&tell("notifications/cancelled", json!({"requestId": 1})));
    is_cancelled(&backend);
    client.call(json!(3), "echo", json!({"message": "last"}));
    assert_eq!(client.hear()["id"], 3, "what was cancelled has no answer");
}

pub(crate) fn a_notification_that_is_not_taken() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let mut client = Client::initialized(&gateway, "/mcp/backend/sse", json!({}));
    client.call(json!(1), "echo", json!({"message": "warm"}));
    assert_eq!(client.hear()["id"], 1);
    client.say(&tell("notifications/hang", json!({})));
    until("the notification arrives", || {
        (backend.received("notifications/hang").len() == 1).then_some(())
    });
    client.call(json!(2), "echo", json!({"message": "meanwhile"}));
    assert_eq!(client.hear()["id"], 2);
    assert_eq!(backend.left(), 0, "it still waits to be taken");
}

pub(crate) fn progress() {
    let backend = StdioBackend::new(&[]);
    let gateway = before(&backend);
    let mut client = Client::initialized(&gateway, "/sse", json!({}));
    let params = json!({"name": "progress", "arguments": {}, "_meta": {"progressToken": "p"}});
    client.ask(json!(1), "tools/call", params);
    for step in 1..=3 {
        assert_eq!(client.hear()["params"]["progress"], step);
    }
    assert_eq!(client.hear()["id"], 1);
}

pub(crate) fn asked() {
    let backend = StdioBackend::new(&[]);
    let gateway = before(&backend);
    let mut client = Client::initialized(&gateway, "/mcp/backend/sse", json!({"elicitation": {}}));
    client.call(json!(1), "ask", elicit(json!(4711), "?"));
    let question = client.hear();
    assert_eq!(question["method"], "elicitation/create");
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "decline"}});
    client.say(&answer.to_string());
    let heard = client.hear();
    let said = heard["result"]["content"][0]["text"].as_str().unwrap();
    assert!(said.contains("decline"), "{heard}");
}

pub(crate) fn changes() {
    let backend = StdioBackend::new(&["--late-tools"]);
    let gateway = before(&backend);
    let mut other = Client::initialized(&gateway, "/mcp/backend/sse", json!({}));
    let mut client = Client::initialized(&gateway, "/mcp/backend/sse", json!({}));
    client.call(json!(1), "reveal", json!({}));
    assert_eq!(client.hear()["id"], 1);
    assert_eq!(other.next().unwrap()["method"], CHANGED);
}

pub(crate) fn hung_up() {
    let backend = StdioBackend::new(&[]);
    let gateway = before(&backend);
    let client = Client::initialized(&gateway, "/mcp/backend/sse", json!({}));
    client.call(json!(1), "hang", json!({}));
    is_called(&backend, "hang");
    let address = client.address.clone();
    drop(client);
    is_cancelled(&backend);
    until("its address is gone", || {
        let answer = gateway.send(&Request::post(&address, "{}"));
        (answer.status == 404).then_some(())
    });
}

pub(crate) fn wrong_session() {
    let backend = StdioBackend::new(&[]);
    let keys = json!([{"key": "key-of-ann", "name": "ann"}, {"key": "key-of-bob", "name": "bob", "rate_limit": 2}]);
    let gateway = Setup::config(json!({
        "auth": {"enabled": true, "api_keys": keys},
        "server": {"max_body_size": 1000},
        "backends": {"backend": backend.config()},
    }))
    .start();
    assert_eq!(gateway.page("/sse").status, 401);
    let mut ann = Client::with_key(&gateway, "/sse", Some("key-of-ann"));
    ann.initialize(json!({}));
    let ping = message(json!(1), "ping", &json!({}));
    let post = |address: &str, key: Option<&str>| {
        gateway.send(&authorized(Request::post(address, ping.as_str()), key))
    };
    assert_eq!(post(&ann.address, None).status, 401);
    let elsewhere = ann.address.replace("/message", "/mcp/backend/message");
    for (address, key) in [
        (ann.address.as_str(), "key-of-bob"),
        (&elsewhere, "key-of-ann"),
        ("/message?sessionId=0", "key-of-ann"),
        ("/message", "key-of-ann"),
    ] {
        let refused = post(address, Some(key));
        assert_eq!(refused.status, 404, "{address}");
        assert!(refused.text().contains("/sse"), "{}", refused.text());
    }
    post(&ann.address, Some("key-of-bob"));
    assert_eq!(post(&ann.address, Some("key-of-bob")).status, 429);
    assert_eq!(ann.post(&" ".repeat(1001)).status, 413);
    let foreign = authorized(Request::new("GET", "/sse"), ann.key);
    let foreign = foreign.header("origin", "https://evil.example");
    assert_eq!(gateway.send(&foreign).status, 403);
    ann.say(&ping);
    assert_eq!(ann.hear()["id"], 1, "and nothing else came");
}

/// No answer is taken any more, so that nobody waits for one.
pub(crate) fn stopped_while_asked() {
    let backend = StdioBackend::new(&["--asks"]);
    let mut gateway = Setup::config(json!({
        "server": {"shutdown_timeout": "10m", "request_timeout": "10m"},
        "backends": {"backend": backend.config()},
    }))
    .start();
    {
        let gateway = &gateway;
        let mut client =
            Client::initialized(gateway, "/mcp/backend/sse", json!({"elicitation": {}}));
        client.call(json!(1), "ask", elicit(json!(4711), "?"));
        assert_eq!(client.hear()["method"], "elicitation/create");
        let newer = gateway.client("/mcp/backend", askable());
        let mut events = newer.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
        assert_eq!(events.json()["method"], "elicitation/create");
        gateway.signal(Signal::TERM);
        assert_eq!(client.hear()["id"], 1);
        assert!(client.next().is_none(), "and then the stream ends");
        assert_eq!(events.json()["id"], 7);
    }
    assert_eq!(gateway.wait().code(), Some(0));
}

pub(crate) fn stopped() {
    let backend = StdioBackend::new(&[]);
    let mut gateway = before(&backend);
    {
        let gateway = &gateway;
        let mut client = Client::initialized(gateway, "/mcp/backend/sse", json!({}));
        let mut idle = Client::initialized(gateway, "/sse", json!({}));
        client.call(json!(1), "sleep", json!({"ms": 800}));
        is_called(&backend, "sleep");
        gateway.signal(Signal::TERM);
        while idle.next().is_some() {}
        assert_eq!(client.hear()["result"]["content"][0]["text"], "slept");
        assert!(client.next().is_none(), "and then the stream ends");
    }
    assert_eq!(gateway.wait().code(), Some(0));
}
