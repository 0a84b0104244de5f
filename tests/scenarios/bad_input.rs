//! Requests that cannot be served: each gets the right status, the right code, and a sentence that says what to do.

use serde_json::{Value, json};

use crate::support::{Gateway, Request, Response, Setup, StdioBackend};

/// One gateway with one backend, to be asked wrong things.
struct Asked {
    backend: StdioBackend,
    gateway: Gateway,
}

impl Asked {
    fn new() -> Self {
        let backend = StdioBackend::new(&[]);
        let gateway = Setup::backends(json!({"backend": backend.config()})).start();
        Self { backend, gateway }
    }

    /// Sends a request and judges its refusal: HTTP status, JSON-RPC code, words in its sentence.
    fn refuses(&self, request: &Request, status: u16, code: i64, words: &[&str]) -> Response {
        let answer = self.gateway.send(request);
        assert_eq!(answer.status, status, "{request:?}: {}", answer.text());
        let reply = answer.reply();
        assert_eq!(reply.code(), code, "{request:?}: {}", answer.text());
        let sentence = reply.said();
        for word in words {
            assert!(sentence.contains(word), "{word:?} in {sentence:?}");
        }
        assert!(sentence.len() > 30, "a sentence that helps: {sentence:?}");
        answer
    }

    /// The same at the endpoint of all backends and at that of one.
    fn refuses_anywhere(&self, request: impl Fn(&str) -> Request, status: u16, code: i64) {
        for path in ["/mcp", "/mcp/backend"] {
            let answer = self.refuses(&request(path), status, code, &[]);
            assert!(
                answer.reply().error()["data"].is_null(),
                "{}",
                answer.text()
            );
        }
    }

    fn reached_nobody(&self) {
        assert!(
            self.backend.received("tools/call").is_empty(),
            "{:?}",
            self.backend.lines()
        );
    }
}

const ECHO: &str = r#"{"jsonrpc":"2.0","id":7,"method":"gateway_invoke","params":{"server":"backend","tool":"echo"}}"#;

fn post(body: &str) -> Request {
    Request::post("/mcp", body)
}

pub(crate) fn malformed_json() {
    let asked = Asked::new();
    for body in [
        "{",
        "{\"jsonrpc\":\"2.0\",\"id\":1,",
        "hello",
        "\u{feff}",
        "{\"a\":1}}",
        "{'a':1}",
        "[1,2",
    ] {
        asked.refuses_anywhere(|path| Request::post(path, body), 400, -32700);
    }
    asked.refuses_anywhere(|path| Request::post(path, ""), 400, -32700);
    let no_text = b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}";
    asked.refuses_anywhere(|path| Request::post(path, no_text.to_vec()), 400, -32700);
    asked.reached_nobody();
}

pub(crate) fn not_json_rpc() {
    let asked = Asked::new();
    for body in [
        "{}",
        "null",
        "42",
        "\"text\"",
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":7}"#,
        r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
    ] {
        asked.refuses_anywhere(|path| Request::post(path, body), 400, -32600);
    }
    let wrong = ECHO.replace("\"2.0\"", "\"1.0\"");
    let answer = asked.refuses(&post(&wrong), 400, -32600, &["jsonrpc", "2.0"]);
    assert_eq!(
        answer.reply().id(),
        "7",
        "the id is the request's where it can be read"
    );
    asked.reached_nobody();
}

pub(crate) fn unknown_method() {
    let asked = Asked::new();
    let body = r#"{"jsonrpc":"2.0","id":"a","method":"gateway_list_server"}"#;
    let answer = asked.refuses(
        &post(body),
        200,
        -32601,
        &["gateway_list_server", "gateway_list_servers"],
    );
    assert_eq!(answer.reply().id(), "\"a\"");
    asked.refuses(
        &post(r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#),
        200,
        -32601,
        &["no/such"],
    );
}

pub(crate) fn unknown_backend_or_tool() {
    let asked = Asked::new();
    asked
        .gateway
        .ask("gateway_list_tools", json!({"server": "backend"}));
    let invoked = |server: &str, tool: &str, meant: &str| {
        let reply = asked.gateway.invoke(server, tool, json!({}));
        assert!(reply.text.contains("TOOL_NOT_FOUND"), "{}", reply.text);
        assert!(
            reply.text.contains(meant),
            "did you mean {meant}: {}",
            reply.text
        );
    };
    invoked("bakend", "echo", "backend");
    invoked("backend", "ehco", "echo");
    let path = Request::post(
        "/mcp/bakend",
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
    );
    let answer = asked.gateway.send(&path);
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert_eq!(answer.reply().code(), -32001);
    assert!(
        answer.text().contains("backend\\\"") || answer.text().contains("backend"),
        "{}",
        answer.text()
    );
    asked.reached_nobody();
}

/// Lists of all backends have one page each, so that a cursor is none of ours whatever it is; null is none at all.
pub(crate) fn foreign_cursors() {
    let asked = Asked::new();
    for list in ["tools", "resources", "resources/templates", "prompts"] {
        let list = |cursor: &Value| {
            let cursor = json!({"cursor": cursor});
            asked.gateway.ask(&format!("{list}/list"), cursor)
        };
        for cursor in [
            json!("x"),
            json!(""),
            json!(7),
            json!(false),
            json!({}),
            json!([1]),
        ] {
            let reply = list(&cursor);
            assert_eq!(reply.code(), -32602, "{cursor}: {}", reply.text);
        }
        assert!(list(&json!(null)).is_good());
    }
}

pub(crate) fn wrong_params() {
    let asked = Asked::new();
    for params in [
        json!(null),
        json!({}),
        json!({"server": "backend"}),
        json!({"tool": "echo"}),
        json!({"server": 7, "tool": "echo"}),
        json!({"server": "backend", "tool": "echo", "arguments": [1]}),
        json!(["backend", "echo"]),
    ] {
        let reply = asked.gateway.ask("gateway_invoke", params.clone());
        assert!(!reply.is_good(), "{params}: {}", reply.text);
        assert!(
            reply.text.contains("INVALID_PARAM") || reply.text.contains("-32602"),
            "{params}: {}",
            reply.text
        );
    }
    let endless = (0..1000)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(" ");
    let reply = asked
        .gateway
        .ask("gateway_search_tools", json!({"query": endless}));
    assert!(reply.text.contains("INVALID_PARAM"), "{}", reply.text);
    asked.reached_nobody();
}

pub(crate) fn oversized_body() {
    let backend = StdioBackend::new(&[]);
    let config =
        json!({"server": {"max_body_size": 10_000}, "backends": {"backend": backend.config()}});
    let asked = Asked {
        gateway: Setup::config(config).start(),
        backend,
    };
    let long = ECHO.replace("echo", &"e".repeat(20_000));
    asked.refuses(&post(&long), 413, -32600, &["10000", "max_body_size"]);
    asked.refuses_anywhere(|path| Request::post(path, long.as_str()), 413, -32600);
    let said_long = post(ECHO).header("content-length", "999999999999");
    asked.refuses(&said_long, 413, -32600, &["max_body_size"]);
    let chunked = post("").header("transfer-encoding", "chunked");
    let mut bytes = chunked.bytes(asked.gateway.address());
    for _ in 0..5 {
        bytes.extend(format!("1000\r\n{}\r\n", " ".repeat(0x1000)).bytes());
    }
    let mut stream = crate::support::connect(asked.gateway.address()).unwrap();
    let _ = std::io::Write::write_all(&mut stream, &bytes);
    let answer = crate::support::Streaming::read_head(stream).unwrap();
    assert_eq!(answer.status, 413, "counted while it arrives");
    asked.reached_nobody();
}

pub(crate) fn wrong_headers() {
    let asked = Asked::new();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "multipart/form-data",
    ] {
        let make = |path: &str| Request::post(path, ECHO).header("content-type", kind);
        asked.refuses(&make("/mcp"), 415, -32600, &["application/json"]);
        asked.refuses_anywhere(make, 415, -32600);
    }
    for accept in ["text/html", "image/png, text/plain"] {
        let make = |path: &str| Request::post(path, ECHO).header("accept", accept);
        asked.refuses(&make("/mcp"), 406, -32600, &["application/json"]);
        asked.refuses_anywhere(make, 406, -32600);
    }
    asked.reached_nobody();
    for (name, value) in [
        ("accept", "*/*"),
        ("accept", "application/json"),
        ("accept", "application/*;q=0.5"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-type", "Application/JSON"),
    ] {
        let answer = asked.gateway.send(&post(ECHO).header(name, value));
        assert!(
            answer.reply().is_good(),
            "{name}: {value}: {}",
            answer.text()
        );
    }
    assert!(
        asked
            .gateway
            .send(&post(ECHO).without("accept").without("content-type"))
            .reply()
            .is_good()
    );
}

pub(crate) fn wrong_session() {
    let asked = Asked::new();
    let list = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;
    for path in ["/mcp", "/mcp/backend"] {
        let unknown = Request::post(path, list).header("mcp-session-id", "made-up");
        asked.refuses(&unknown, 404, -32001, &["initialize"]);
        let session = asked.gateway.session(path);
        let revision = session
            .post(list)
            .header("mcp-protocol-version", "1999-01-01");
        let answer = asked.refuses(&revision, 400, -32022, &["1999-01-01"]);
        let data = &answer.reply().error()["data"];
        assert_eq!(data["requested"], "1999-01-01");
        assert!(
            data["supported"]
                .as_array()
                .unwrap()
                .contains(&json!("2025-11-25"))
        );
        assert_eq!(session.end().status / 100, 2);
        asked.refuses(&session.post(list), 404, -32001, &["initialize"]);
        assert_eq!(session.end().status, 404);
        let listening = Request::new("GET", path).header("accept", "text/event-stream");
        assert_eq!(asked.gateway.send(&listening).status, 400);
    }
}

pub(crate) fn wrong_place() {
    let asked = Asked::new();
    let nowhere = asked.gateway.page("/no/such/page");
    assert_eq!(nowhere.status, 404);
    assert!(
        nowhere.text().contains("/mcp"),
        "says where to go: {}",
        nowhere.text()
    );
    let put = asked.gateway.send(&Request::new("PUT", "/mcp"));
    assert_eq!(put.status, 405);
    assert!(
        put.header("allow")
            .is_some_and(|allowed| allowed.contains("POST")),
        "{put:?}"
    );
    assert_eq!(
        asked.gateway.send(&Request::new("POST", "/metrics")).status,
        405
    );
}

pub(crate) fn batches() {
    let asked = Asked::new();
    asked.refuses_anywhere(|path| Request::post(path, "[]"), 400, -32600);
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let answer = asked.gateway.send(&post(&format!(
        "[{ping},{{\"jsonrpc\":\"2.0\",\"id\":2}},{ping}]"
    )));
    let answers: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answers.as_array().map(Vec::len), Some(3), "{answers}");
    assert_eq!(answers[1]["error"]["code"], -32600);
    let many = format!("[{}]", vec![ping; 10_000].join(","));
    asked.refuses_anywhere(|path| Request::post(path, many.as_str()), 400, -32600);
}
