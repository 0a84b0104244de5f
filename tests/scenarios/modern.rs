//! Clients of revision 2026-07-28 before backends of an older one: no session, and each request says all of itself.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::reload::{ends, pid, taken_over};
use crate::support::{Events, Gateway, Request, Setup, StdioBackend, until};

pub(crate) const REVISION: &str = "2026-07-28";

/// One gateway with one backend, asked by a modern client.
struct Modern {
    backend: StdioBackend,
    gateway: Gateway,
}

impl Modern {
    fn new(options: &[&str]) -> Self {
        let backend = StdioBackend::new(options);
        let config = json!({"meta_mcp": {"enabled": false, "naming": "plain"}, "backends": {"backend": backend.config()}});
        let gateway = Setup::config(config).start();
        Self { backend, gateway }
    }

    fn ask(&self, path: &str, method: &str, params: Value) -> Value {
        let answer = self.gateway.send(&request(path, method, params));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.header("mcp-session-id").is_none(), "{answer:?}");
        answer.reply().result()
    }

    /// The status, code and data of the error that a request gets.
    fn refused(&self, request: &Request) -> (u16, i64, Value) {
        let answer = self.gateway.send(request);
        let reply = answer.reply();
        assert_eq!(reply.id(), "7", "{}", answer.text());
        let sentence = reply.error()["message"].clone();
        assert!(sentence.as_str().unwrap().len() > 30, "{sentence}");
        (answer.status, reply.code(), reply.error()["data"].clone())
    }

    fn listen(&self, path: &str, notifications: Value) -> Events {
        let wanted = request(
            path,
            "subscriptions/listen",
            json!({"notifications": notifications}),
        );
        Events::of(wanted.open(self.gateway.address()).unwrap())
    }
}

/// A POST as modern clients send it.
pub(crate) fn request(path: &str, method: &str, mut params: Value) -> Request {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(REVISION);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let name = params.get("name").or(params.get("uri")).cloned();
    let post = bare(path, method, &params)
        .header("mcp-protocol-version", REVISION)
        .header("mcp-method", method);
    match name {
        Some(name) => post.header("mcp-name", name.as_str().unwrap()),
        None => post,
    }
}

pub(crate) fn bare(path: &str, method: &str, params: &Value) -> Request {
    let body = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
    Request::post(path, body.to_string())
}

fn echo(message: &str) -> Value {
    json!({"name": "echo", "arguments": {"message": message}})
}

pub(crate) fn no_session() {
    let modern = Modern::new(&[]);
    for path in ["/mcp", "/mcp/backend"] {
        let mut params = echo("hello");
        params["_meta"] = json!({"traceparent": "00-a-b-01", "io.modelcontextprotocol/clientInfo": {"name": "x", "version": "1"}});
        let result = modern.ask(path, "tools/call", params);
        assert_eq!(result["resultType"], "complete");
        assert_eq!(result["content"][0]["text"], "hello");
        let list = modern.ask(path, "tools/list", json!({}));
        assert_eq!(
            (&list["ttlMs"], &list["cacheScope"]),
            (&json!(0), &json!("private"))
        );
        assert!(list["tools"].as_array().unwrap().len() > 5);
    }
    for line in modern.backend.received("tools/call") {
        assert!(line.contains("traceparent"), "{line}");
        assert!(!line.contains("io.modelcontextprotocol/"), "{line}");
    }
    assert_eq!(modern.gateway.sample("mcp_sessions"), Some(0.0));
}

pub(crate) fn plain_prompts() {
    let (one, two) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let config = json!({
        "meta_mcp": {"enabled": false, "naming": "plain"},
        "backends": {"one": one.config(), "two": two.config()},
    });
    let gateway = Setup::config(config).start();
    let ask = |method: &str, params: Value| gateway.send(&request("/mcp", method, params)).reply();
    assert!(
        ask("prompts/get", json!({"name": "greet"})).is_good(),
        "found before it was listed"
    );
    let list = ask("prompts/list", json!({})).result();
    assert_eq!(list["prompts"][0]["name"], "greet");
    assert_eq!(list["prompts"][1]["name"], "two/greet");
    assert!(ask("prompts/get", json!({"name": "two/greet"})).is_good());
    assert_eq!(ask("prompts/get", json!({"name": "grete"})).code(), -32602);
    let asked = |backend: &StdioBackend| backend.received("prompts/get").len();
    assert_eq!((asked(&one), asked(&two)), (1, 1));
}

pub(crate) fn discover() {
    let modern = Modern::new(&[]);
    for path in ["/mcp", "/mcp/backend"] {
        let found = modern.ask(path, "server/discover", json!({}));
        assert_eq!(found["resultType"], "complete");
        assert_eq!(found["supportedVersions"][0], REVISION);
        assert!(found["capabilities"]["tools"].is_object(), "{found}");
        let name = &found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
        assert!(name.is_string(), "{found}");
        assert!(
            found["ttlMs"].is_u64() && found["cacheScope"].is_string(),
            "{found}"
        );
    }
}

pub(crate) fn incomplete() {
    let modern = Modern::new(&[]);
    let call = || request("/mcp/backend", "tools/call", echo("x"));
    let partial = |meta: Value| {
        let mut params = echo("x");
        params["_meta"] = meta;
        bare("/mcp/backend", "tools/call", &params)
            .header("mcp-protocol-version", REVISION)
            .header("mcp-method", "tools/call")
            .header("mcp-name", "echo")
    };
    let (revision, capabilities) = (
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    );
    for meta in [
        json!({}),
        json!({revision: REVISION}),
        json!({capabilities: {}}),
        json!({revision: 2026, capabilities: {}}),
        json!({revision: REVISION, capabilities: []}),
        json!({revision: REVISION, capabilities: {}, "io.modelcontextprotocol/logLevel": "loud"}),
    ] {
        let (status, code, _) = modern.refused(&partial(meta.clone()));
        assert_eq!((status, code), (400, -32602), "{meta}");
    }
    for (number, wrong) in [
        call().without("mcp-protocol-version"),
        call().without("mcp-method"),
        call().without("mcp-name"),
        call().header("mcp-protocol-version", "2025-11-25"),
        call().header("mcp-method", "tools/list"),
        call().header("mcp-method", "TOOLS/CALL"),
        call().header("mcp-name", "ech"),
        call().header("mcp-name", "=?base64?ZWNobw?="),
    ]
    .iter()
    .enumerate()
    {
        let (status, code, _) = modern.refused(wrong);
        assert_eq!((status, code), (400, -32020), "case {number}: {wrong:?}");
    }
    assert!(modern.backend.received("tools/call").is_empty());
    for fine in [
        call().header("mcp-name", "  echo "),
        call().header("Mcp-Name", "=?base64?ZWNobw==?="),
        call().header("mcp-session-id", "of-an-older-revision"),
    ] {
        assert_eq!(modern.gateway.send(&fine).status, 200, "{fine:?}");
    }
}

pub(crate) fn unknown_revision() {
    let modern = Modern::new(&[]);
    for revision in ["1900-01-01", "2025-11-25"] {
        let mut params = echo("x");
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let post = bare("/mcp/backend", "tools/call", &params)
            .header("mcp-protocol-version", revision)
            .header("mcp-method", "tools/call")
            .header("mcp-name", "echo");
        let (status, code, data) = modern.refused(&post);
        assert_eq!((status, code), (400, -32022), "{revision}");
        assert_eq!(data["requested"], revision);
        assert_eq!(data["supported"][0], REVISION);
    }
}

pub(crate) fn no_batches() {
    let modern = Modern::new(&[]);
    let batch = Request::post(
        "/mcp",
        r#"[{"jsonrpc":"2.0","id":7,"method":"tools/list"}]"#,
    )
    .header("mcp-protocol-version", REVISION);
    let refused = modern.gateway.send(&batch);
    assert_eq!((refused.status, refused.reply().code()), (400, -32600));
    assert!(refused.text().contains("batch"), "{}", refused.text());
}

pub(crate) fn resource_that_is_not_there() {
    let modern = Modern::new(&[]);
    let read = request("/mcp", "resources/read", json!({"uri": "nowhere:/x"}));
    let (_, code, data) = modern.refused(&read);
    assert_eq!((code, &data["uri"]), (-32602, &json!("nowhere:/x")));
}

pub(crate) fn progress_before_the_answer() {
    let modern = Modern::new(&[]);
    let params = json!({"name": "progress", "arguments": {}, "_meta": {"progressToken": "p"}});
    let post = request("/mcp/backend", "tools/call", params);
    let mut events = Events::of(post.open(modern.gateway.address()).unwrap());
    for step in 1..=3 {
        let event: Value =
            serde_json::from_str(&events.next().unwrap().unwrap().replace("1e400", "0")).unwrap();
        assert_eq!(event["params"]["progress"], step);
        assert_eq!(event["params"]["progressToken"], "p");
    }
    let answer = events.next().unwrap().unwrap();
    assert!(answer.contains(r#""resultType":"complete""#), "{answer}");
}

pub(crate) fn listening() {
    let modern = Modern::new(&["--late-tools"]);
    let mut all = modern.listen("/mcp/backend", json!({"toolsListChanged": true}));
    let mut none = modern.listen(
        "/mcp",
        json!({"promptsListChanged": true, "resourceSubscriptions": ["a:b"]}),
    );
    let next = |events: &mut Events| -> Value {
        serde_json::from_str(&events.next().unwrap().unwrap()).unwrap()
    };
    let (first, other) = (next(&mut all), next(&mut none));
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        first["params"]["notifications"],
        json!({"toolsListChanged": true})
    );
    assert_eq!(
        other["params"]["notifications"],
        json!({"promptsListChanged": true})
    );
    let reveal = json!({"name": "reveal", "arguments": {}});
    modern.ask("/mcp/backend", "tools/call", reveal);
    let told = next(&mut all);
    assert_eq!(told["method"], "notifications/tools/list_changed");
    for message in [&first, &other, &told] {
        assert_eq!(
            message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
            7
        );
    }
    modern.gateway.signal(Signal::TERM);
    for mut events in [all, none] {
        let last = next(&mut events);
        assert_eq!(
            (&last["id"], &last["result"]["resultType"]),
            (&json!(7), &json!("complete"))
        );
        assert_eq!(events.next().unwrap(), None);
    }
}

pub(crate) fn listening_to_what_changes() {
    let modern = Modern::new(&[]);
    let gateway = &modern.gateway;
    let old = pid(gateway, "backend");
    let mut at_backend = modern.listen(
        "/mcp/backend",
        json!({"toolsListChanged": true, "resourceSubscriptions": ["test://plain"]}),
    );
    let mut at_all = modern.listen("/mcp", json!({"toolsListChanged": true}));
    for events in [&mut at_backend, &mut at_all] {
        assert!(events.next().unwrap().unwrap().contains("acknowledged"));
    }
    let mut changed = modern.backend.config();
    changed["description"] = json!("new");
    let federated = json!({"enabled": false, "naming": "prefixed"});
    gateway.configure(&json!({"meta_mcp": federated, "backends": {"backend": changed}}));
    taken_over(gateway);
    let last = at_backend.next().unwrap().unwrap();
    assert!(
        last.contains("complete"),
        "its client opens it again: {last}"
    );
    assert_eq!(at_backend.next().unwrap(), None);
    ends(old);
    let told = at_all.next().unwrap().unwrap();
    assert!(told.contains("notifications/tools/list_changed"), "{told}");
}

pub(crate) fn listening_to_resources() {
    let modern = Modern::new(&[]);
    let asked = |method: &str| modern.backend.received(method).len();
    let many: Vec<String> = (0..1_001).map(|n| format!("memo:///{n}")).collect();
    let wanted = json!({"notifications": {"resourceSubscriptions": many}});
    let refused = modern.refused(&request("/mcp/backend", "subscriptions/listen", wanted));
    assert_eq!(refused.1, -32602);
    assert_eq!(asked("resources/subscribe"), 0);
    let repeated = vec!["memo:///one"; 5_000];
    let all = json!({"resourceSubscriptions": repeated, "promptsListChanged": true});
    let mut events = modern.listen("/mcp/backend", all);
    let first: Value = serde_json::from_str(&events.next().unwrap().unwrap()).unwrap();
    assert_eq!(
        first["params"]["notifications"],
        json!({"resourceSubscriptions": ["memo:///one"]}),
        "once, and without what the backend does not declare"
    );
    assert_eq!(asked("resources/subscribe"), 1);
    drop(events);
    until("the backend is told", || {
        (asked("resources/unsubscribe") == 1).then_some(())
    });
}

pub(crate) fn leaving_before_the_answer() {
    let modern = Modern::new(&[]);
    let asked = |method: &str| modern.backend.received(method).len();
    let wanted = json!({"notifications": {"resourceSubscriptions": ["hang:/x"]}});
    let post = request("/mcp/backend", "subscriptions/listen", wanted);
    let left = post.begin(modern.gateway.address()).unwrap();
    until("the backend is asked", || {
        (asked("resources/subscribe") == 1).then_some(())
    });
    drop(left);
    until("it is taken back", || {
        (asked("resources/unsubscribe") == 1).then_some(())
    });
}

pub(crate) fn odd_requests() {
    let modern = Modern::new(&[]);
    let long = "\u{200b}".repeat(100_000);
    let mut asked = request("/mcp/backend", "tools/call", json!({"name": long}));
    asked = asked.header("mcp-name", "short");
    let answer = modern.gateway.send(&asked);
    assert_eq!((answer.status, answer.reply().code()), (400, -32020));
    assert!(answer.body.len() < 2_000, "{} bytes", answer.body.len());
    let call = || request("/mcp/backend", "tools/call", echo("x"));
    let encoded = call().header("mcp-method", "=?base64?dG9vbHMvY2FsbA==?=");
    assert_eq!(modern.refused(&encoded).1, -32020);
    let twice = call().and_header("mcp-name", "reveal");
    assert_eq!(modern.refused(&twice).1, -32020);
    let escaped = r#"{"jsonrpc":"2.0","id":7,"method":"tools\/list","params":{"_meta":{"io.modelcontextprotocol\/protocolVersion":"2026-07-28","io.modelcontextprotocol\/clientCapabilities":{}}}}"#;
    let escaped = Request::post("/mcp", escaped);
    assert_eq!(
        modern.refused(&escaped).1,
        -32020,
        "its headers are missing"
    );
}

pub(crate) fn listening_no_more() {
    let modern = Modern::new(&[]);
    let sessions = || modern.gateway.sample("mcp_sessions");
    let mut events = modern.listen("/mcp", json!({"toolsListChanged": true}));
    assert!(events.next().unwrap().is_some());
    assert_eq!(sessions(), Some(1.0));
    drop(events);
    until("the subscription is over", || {
        (sessions() == Some(0.0)).then_some(())
    });
    let wrong = request("/mcp", "subscriptions/listen", json!({}));
    assert_eq!(modern.refused(&wrong).1, -32602);
}
