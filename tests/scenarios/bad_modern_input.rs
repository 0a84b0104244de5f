//! Each kind of bad input that revision 2026-07-28 names, at each endpoint: its status, its code and its data, and no others.

use serde_json::{Value, json};

use crate::{
    modern::{REVISION, bare, request},
    support::{Era, EraBackend, Gateway, Request, Setup, StdioBackend},
};

const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// The endpoints of two gateways before one backend of an older revision: with the meta-tools, with all tools, and the backend.
struct Endpoints {
    backend: StdioBackend,
    meta: Gateway,
    federated: Gateway,
}

impl Endpoints {
    fn new() -> Self {
        let backend = StdioBackend::new(&[]);
        let backends = json!({"backend": backend.config()});
        let meta = Setup::backends(backends.clone()).start();
        let all = json!({"enabled": false, "naming": "plain"});
        let federated = Setup::config(json!({"meta_mcp": all, "backends": backends})).start();
        Self {
            backend,
            meta,
            federated,
        }
    }

    fn all(&self) -> [(&Gateway, &'static str); 3] {
        [
            (&self.meta, "/mcp"),
            (&self.federated, "/mcp"),
            (&self.meta, "/mcp/backend"),
        ]
    }

    /// Sends what is made for each endpoint, and judges the error: its status, code and data, and whose it is.
    fn refuse(&self, make: impl Fn(&str) -> Request, (status, code): (u16, i64), data: &Value) {
        for (gateway, path) in self.all() {
            refuse(gateway, &make(path), (status, code), data);
        }
    }
}

fn refuse(gateway: &Gateway, request: &Request, (status, code): (u16, i64), data: &Value) {
    let answer = gateway.send(request);
    let reply = answer.reply();
    let (error, text) = (reply.error(), answer.text());
    assert_eq!(
        (answer.status, reply.code()),
        (status, code),
        "{request:?}: {text}"
    );
    assert_eq!(&error["data"], data, "{request:?}: {text}");
    let id = if code == -32700 { "null" } else { "7" };
    assert_eq!(reply.id(), id, "{request:?}: {text}");
    assert!(error["message"].as_str().unwrap().len() > 10, "{text}");
    assert!(answer.header("mcp-session-id").is_none(), "{answer:?}");
}

/// Methods of every way through the gateway, with params that are right.
fn methods() -> [(&'static str, Value); 8] {
    [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "echo", "arguments": {}})),
        ("resources/list", json!({})),
        ("resources/read", json!({"uri": "memo:///one"})),
        ("prompts/get", json!({"name": "greet"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "greet"}}),
        ),
        ("subscriptions/listen", json!({"notifications": {}})),
    ]
}

/// The headers of a right request around a body whose `_meta` is this one.
fn with_meta(path: &str, method: &str, params: &Value, meta: Option<Value>) -> Request {
    let right = request(path, method, params.clone());
    right.body(|body| {
        let mut body: Value = serde_json::from_str(&body).unwrap();
        match meta {
            Some(meta) => body["params"]["_meta"] = meta,
            None => drop(body["params"].as_object_mut().unwrap().remove("_meta")),
        }
        body.to_string()
    })
}

pub(crate) fn incomplete() {
    let endpoints = Endpoints::new();
    for (method, params) in methods() {
        for meta in [
            None,
            Some(json!(null)),
            Some(json!([])),
            Some(json!({})),
            Some(json!({CAPABILITIES: {}})),
            Some(json!({PROTOCOL_VERSION: 2026, CAPABILITIES: {}})),
            Some(json!({PROTOCOL_VERSION: REVISION})),
            Some(json!({PROTOCOL_VERSION: REVISION, CAPABILITIES: null})),
            Some(json!({PROTOCOL_VERSION: REVISION, CAPABILITIES: []})),
            Some(json!({PROTOCOL_VERSION: REVISION, CAPABILITIES: {}, LOG_LEVEL: "loud"})),
        ] {
            let make = |path: &str| with_meta(path, method, &params, meta.clone());
            endpoints.refuse(make, (400, -32602), &Value::Null);
        }
    }
    let without_params = |path: &str| {
        request(path, "tools/list", json!({}))
            .body(|_| json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}).to_string())
    };
    endpoints.refuse(without_params, (400, -32602), &Value::Null);
    assert!(endpoints.backend.received("tools/call").is_empty());
}

pub(crate) fn mismatched() {
    let endpoints = Endpoints::new();
    for (method, params) in methods() {
        let right = |path: &str| request(path, method, params.clone());
        let names = params.get("name").or(params.get("uri")).is_some();
        let mut wrong: Vec<Box<dyn Fn(Request) -> Request>> = vec![
            Box::new(|right| right.without("mcp-protocol-version")),
            Box::new(|right| right.header("mcp-protocol-version", "2025-11-25")),
            Box::new(|right| right.header("mcp-protocol-version", "1900-01-01")),
            Box::new(|right| right.without("mcp-method")),
            Box::new(|right| right.header("mcp-method", "prompts/list")),
            Box::new(move |right| right.header("mcp-method", &method.to_uppercase())),
        ];
        if names {
            wrong.push(Box::new(|right| right.without("mcp-name")));
            wrong.push(Box::new(|right| right.header("mcp-name", "another")));
            wrong.push(Box::new(|right| right.header("mcp-name", "=?base64?no*?=")));
        }
        for spoil in wrong {
            endpoints.refuse(|path| spoil(right(path)), (400, -32020), &Value::Null);
        }
    }
    let body = |path: &str| {
        let meta = json!({PROTOCOL_VERSION: "1900-01-01", CAPABILITIES: {}});
        with_meta(path, "tools/list", &json!({}), Some(meta))
    };
    endpoints.refuse(body, (400, -32020), &Value::Null);
    assert!(endpoints.backend.received("tools/call").is_empty());
}

pub(crate) fn unknown_revision() {
    let endpoints = Endpoints::new();
    for (method, params) in methods() {
        for (revision, rest) in [
            ("1900-01-01", json!({CAPABILITIES: {}})),
            ("2025-11-25", json!({CAPABILITIES: {}})),
            // One that may ask for something else.
            ("2099-01-01", json!({})),
        ] {
            let mut meta = rest.clone();
            meta[PROTOCOL_VERSION] = json!(revision);
            let make = |path: &str| {
                with_meta(path, method, &params, Some(meta.clone()))
                    .header("mcp-protocol-version", revision)
            };
            let data = json!({
                "supported": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"],
                "requested": revision,
            });
            endpoints.refuse(make, (400, -32022), &data);
        }
    }
}

pub(crate) fn unknown_methods() {
    let endpoints = Endpoints::new();
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "notifications/initialized",
        "sampling/createMessage",
        "elicitation/create",
        "roots/list",
        "no/such/method",
    ] {
        let make = |path: &str| request(path, method, json!({}));
        endpoints.refuse(make, (404, -32601), &Value::Null);
    }
}

pub(crate) fn no_request() {
    let endpoints = Endpoints::new();
    let as_it_is = |body: &'static str| {
        move |path: &str| request(path, "tools/list", json!({})).body(|_| body.to_owned())
    };
    for body in [
        r#"{"jsonrpc":"2.0","id":7,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"no"}}"#,
        r#"{"jsonrpc":"1.0","id":7,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/list","params":"none"}"#,
    ] {
        endpoints.refuse(as_it_is(body), (400, -32600), &Value::Null);
    }
    for body in ["{", "no JSON", ""] {
        let unread = |path: &str| {
            Request::post(path, body)
                .header("mcp-protocol-version", REVISION)
                .header("mcp-method", "tools/list")
        };
        endpoints.refuse(unread, (400, -32700), &Value::Null);
    }
}

pub(crate) fn no_such_resource() {
    let endpoints = Endpoints::new();
    let make = |path: &str| request(path, "resources/read", json!({"uri": "nowhere:/x"}));
    endpoints.refuse(make, (200, -32602), &json!({"uri": "nowhere:/x"}));
}

/// What a backend of this revision refuses passes with its status and its data.
pub(crate) fn missing_capability() {
    let backend = EraBackend::start(Era::Modern);
    let all = json!({"enabled": false, "naming": "plain"});
    let config = json!({"meta_mcp": all, "backends": {"backend": backend.config()}});
    let gateway = Setup::config(config).start();
    for path in ["/mcp", "/mcp/backend"] {
        let unable = request(
            path,
            "tools/call",
            json!({"name": "unable", "arguments": {}}),
        );
        let data = json!({"requiredCapabilities": {"elicitation": {}}});
        for _ in 0..6 {
            refuse(&gateway, &unable, (400, -32021), &data);
        }
        let unknown = bare(
            path,
            "no/such",
            &json!({"_meta": {PROTOCOL_VERSION: REVISION, CAPABILITIES: {}}}),
        )
        .header("mcp-protocol-version", REVISION)
        .header("mcp-method", "no/such");
        refuse(&gateway, &unknown, (404, -32601), &Value::Null);
    }
}
