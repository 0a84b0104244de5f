//! Input that means harm, or is broken as if it did: from backends and from clients.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{
    Gateway, HttpBackend, Mood, Reply, Request, Setup, StdioBackend, connect, memory, until,
};

/// A gateway with one stdio backend, and a call to it that stays open: what harms another call must not end it.
struct Attacked {
    backend: StdioBackend,
    gateway: Gateway,
    bystander: TcpStream,
}

impl Attacked {
    fn new() -> Self {
        let backend = StdioBackend::new(&[]);
        let mut config = backend.config();
        config["timeout"] = json!("15s");
        let gateway = Setup::backends(json!({"backend": config})).start();
        assert!(gateway.invoke("backend", "echo", json!({})).is_good());
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "gateway_invoke",
            "params": {"server": "backend", "tool": "hang"}});
        let bystander = Request::post("/mcp", call.to_string())
            .begin(gateway.address())
            .unwrap();
        until("a bystander's call is open", || {
            (backend.calls("hang") == 1).then_some(())
        });
        Self {
            backend,
            gateway,
            bystander,
        }
    }

    fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.gateway.invoke("backend", tool, arguments)
    }

    /// The harm stayed with the call that did it.
    fn stands(&self) {
        assert!(self.call("echo", json!({})).is_good());
        assert_eq!(self.backend.starts(), 1, "the child was not ended for it");
        self.bystander.set_nonblocking(true).unwrap();
        let answered = self.bystander.peek(&mut [0]);
        assert_eq!(
            answered.unwrap_err().kind(),
            io::ErrorKind::WouldBlock,
            "the bystander still waits"
        );
    }
}

pub(crate) fn line_of_100_mb() {
    let attacked = Attacked::new();
    let (before, _) = memory(attacked.gateway.pid());
    let reply = attacked.call("big_line", json!({"bytes": 100 << 20}));
    assert_eq!(
        reply.refusal(),
        "BACKEND_ERROR",
        "{} bytes",
        reply.text.len()
    );
    let (_, highest) = memory(attacked.gateway.pid());
    assert!(highest - before < 96 << 20, "{before} rose to {highest}");
    attacked.stands();
}

pub(crate) fn half_a_frame() {
    let attacked = Attacked::new();
    let reply = attacked.call("half_frame", json!({}));
    assert_eq!(reply.refusal(), "BACKEND_UNREACHABLE", "{reply:?}");
    assert_eq!(attacked.backend.calls("half_frame"), 1);
    assert!(attacked.call("echo", json!({})).is_good());
}

pub(crate) fn invalid_utf8() {
    let attacked = Attacked::new();
    let reply = attacked.call("invalid_utf8", json!({}));
    assert_eq!(reply.refusal(), "BACKEND_ERROR", "{reply:?}");
    attacked.stands();
}

pub(crate) fn json_bomb_of_a_backend() {
    let attacked = Attacked::new();
    let reply = attacked.call("nested", json!({"depth": 200_000}));
    assert_eq!(
        reply.refusal(),
        "BACKEND_ERROR",
        "{} bytes",
        reply.text.len()
    );
    attacked.stands();
}

pub(crate) fn noise_on_stdout() {
    let attacked = Attacked::new();
    assert_eq!(attacked.call("noise", json!({})).said(), "after the noise");
    assert!(attacked.call("chatter", json!({"lines": 20_000})).is_good());
    attacked.stands();
}

pub(crate) fn babble() {
    let steady = StdioBackend::new(&[]);
    let babbling = json!({"command": "yes", "timeout": "500ms"});
    let backends = json!({"babbling": babbling, "steady": steady.config()});
    let mut gateway = Setup::backends(backends).start();
    assert!(!gateway.invoke("babbling", "echo", json!({})).is_good());
    for _ in 0..20 {
        assert!(gateway.invoke("steady", "echo", json!({})).is_good());
    }
    gateway.logged(&["no JSON-RPC messages", "babbling"]);
    let lines = gateway.log().len();
    assert!(lines < 1000, "{lines} lines of log");
    gateway.signal(Signal::TERM);
    gateway.wait();
}

pub(crate) fn odd_http_answers() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["circuit_breaker"] = json!({"enabled": false});
    let gateway = Setup::backends(json!({"server": config})).start();
    for (mood, refusal, words) in [
        (Mood::Garbled, "BACKEND_ERROR", "not JSON"),
        (Mood::WrongId, "BACKEND_ERROR", "id of the request"),
        (Mood::Endless, "BACKEND_ERROR", "longer than"),
        (Mood::CutShort, "BACKEND_UNREACHABLE", "broke off"),
        (Mood::Page(502), "BACKEND_ERROR", "the proxy is down"),
        (Mood::Page(200), "BACKEND_ERROR", "not JSON"),
        (Mood::Page(202), "BACKEND_ERROR", "202"),
        (
            Mood::Status(307, "location: http://elsewhere/\r\n"),
            "BACKEND_ERROR",
            "307",
        ),
        (Mood::LongError, "INVALID_PARAM", "path is missing"),
    ] {
        server.feel(mood);
        let reply = gateway.invoke("server", "echo", json!({}));
        assert_eq!(reply.refusal(), refusal, "{mood:?} {reply:?}");
        assert!(reply.said().contains(words), "{mood:?} {}", reply.said());
        server.feel(Mood::Well);
        assert!(
            gateway.invoke("server", "echo", json!({})).is_good(),
            "after {mood:?}"
        );
    }
}

pub(crate) fn bomb_of_a_client() {
    let attacked = Attacked::new();
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let depth = 300_000;
        let bomb = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{{"server":"backend","tool":"echo","arguments":{}1{}}}}}"#,
            open.repeat(depth),
            close.repeat(depth)
        );
        let answer = attacked.gateway.send(&Request::post("/mcp", bomb));
        assert_eq!(answer.status, 400, "{}", answer.text());
        assert!(answer.reply().code() == -32700 || answer.reply().code() == -32600);
    }
    assert_eq!(attacked.backend.calls("echo"), 1, "only the first one");
}

pub(crate) fn requests_that_are_none() {
    let attacked = Attacked::new();
    let long = format!(
        "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
        "a".repeat(1 << 20)
    );
    let fields = format!(
        "GET /health HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "b".repeat(1 << 20)
    );
    let many = format!(
        "GET /health HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
        "a: b\r\n".repeat(20_000)
    );
    let odd: [&[u8]; 7] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: -1\r\n\r\n",
        b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        long.as_bytes(),
        fields.as_bytes(),
        many.as_bytes(),
    ];
    for bytes in odd {
        let mut stream = connect(attacked.gateway.address()).unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(!answer.starts_with("HTTP/1.1 2"), "{answer}");
        assert!(!answer.starts_with("HTTP/1.1 5"), "{answer}");
    }
    assert!(attacked.call("echo", json!({})).is_good());
}

pub(crate) fn hung_up_halfway() {
    let attacked = Attacked::new();
    for _ in 0..50 {
        let mut stream = connect(attacked.gateway.address()).unwrap();
        let head = "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(br#"{"jsonrpc":"2.0","id":1"#).unwrap();
    }
    attacked.stands();
    assert_eq!(attacked.backend.calls("echo"), 2);
}
