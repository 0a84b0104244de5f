//! Who may ask: foreign sites, foreign hosts, missing and wrong keys, and addresses that need a lock on the door.

use serde_json::json;

use crate::support::{Request, Setup, StdioBackend};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_list_servers"}"#;
const ECHO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{"server":"backend","tool":"echo"}}"#;

pub(crate) fn foreign_origin_and_host() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let port = gateway.address().port();
    let echo = || Request::post("/mcp", ECHO);
    for (name, value) in [
        ("origin", "https://evil.example".to_owned()),
        ("origin", "null".to_owned()),
        ("origin", format!("http://localhost.evil.example:{port}")),
        ("origin", "http://127.0.0.1.evil.example".to_owned()),
        ("host", "evil.example".to_owned()),
        ("host", format!("evil.example:{port}")),
        ("host", format!("127.0.0.1.evil.example:{port}")),
    ] {
        let answer = gateway.send(&echo().header(name, &value));
        assert_eq!(answer.status, 403, "{name}: {value}: {}", answer.text());
        assert_eq!(answer.reply().code(), -32003);
        let page = gateway.send(&Request::new("GET", "/health/backends").header(name, &value));
        assert_eq!(page.status, 403, "{name}: {value} on a page");
    }
    assert_eq!(
        backend.calls("echo"),
        0,
        "a refused call never reached the backend"
    );
    for (name, value) in [
        ("origin", format!("http://localhost:{port}")),
        ("origin", format!("http://127.0.0.1:{port}")),
        ("host", format!("localhost:{port}")),
        ("host", format!("[::1]:{port}")),
    ] {
        let answer = gateway.send(&echo().header(name, &value));
        assert_eq!(answer.status, 200, "{name}: {value}: {}", answer.text());
    }
    assert_eq!(backend.calls("echo"), 4);
}

pub(crate) fn no_key_no_answer() {
    let backend = StdioBackend::new(&[]);
    let auth = json!({"enabled": true, "bearer_token": "the-right-token"});
    let gateway =
        Setup::config(json!({"auth": auth, "backends": {"backend": backend.config()}})).start();
    let requests = [
        Request::post("/mcp", ECHO),
        Request::post(
            "/mcp/backend",
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        ),
        Request::new("GET", "/mcp"),
        Request::new("DELETE", "/mcp"),
        Request::new("GET", "/metrics"),
        Request::new("GET", "/metrics.json"),
        Request::new("GET", "/health/backends"),
        Request::new("GET", "/ui/events"),
        Request::new("GET", "/ui/backends/backend"),
        Request::post("/ui/actions/kill", r#"{"backend":"backend"}"#),
        Request::new("GET", "/no/such/path"),
    ];
    for request in &requests {
        for key in [
            None,
            Some("the-wrong-token"),
            Some("the-right-toke"),
            Some("the-right-token2"),
            Some(""),
        ] {
            let request = match key {
                Some(key) => request
                    .clone()
                    .header("authorization", &format!("Bearer {key}")),
                None => request.clone(),
            };
            let answer = gateway.send(&request);
            assert_eq!(answer.status, 401, "{key:?} {request:?}: {}", answer.text());
            assert!(answer.header("www-authenticate").is_some());
        }
    }
    for probe in ["/livez", "/health"] {
        assert_eq!(gateway.page(probe).status, 200, "{probe}");
    }
    assert_eq!(backend.calls("echo"), 0);
    assert_eq!(gateway.page("/health").status, 200, "public");
    let right = Request::post("/mcp", ECHO).header("authorization", "Bearer the-right-token");
    assert!(gateway.send(&right).reply().is_good());
    assert!(!gateway.log().join("\n").contains("the-right-token"));
}

pub(crate) fn rights_of_a_key() {
    let (mine, other) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let keys =
        json!([{"key": "k1", "name": "one", "backends": ["mine"], "denied_tools": ["sleep"]}]);
    let backends = json!({"mine": mine.config(), "other": other.config()});
    let gateway =
        Setup::config(json!({"auth": {"enabled": true, "api_keys": keys}, "backends": backends}))
            .start();
    let ask = |body: String| {
        let request = Request::post("/mcp", body).header("authorization", "Bearer k1");
        gateway.send(&request).reply()
    };
    let invoke = |server: &str, tool: &str| {
        let params = json!({"server": server, "tool": tool, "arguments": {"ms": 1}});
        ask(
            json!({"jsonrpc": "2.0", "id": 1, "method": "gateway_invoke", "params": params})
                .to_string(),
        )
    };
    assert!(invoke("mine", "echo").is_good());
    assert!(!invoke("other", "echo").is_good());
    assert!(!invoke("mine", "sleep").is_good());
    let kill = json!({"jsonrpc": "2.0", "id": 1, "method": "gateway_kill_server", "params": {"server": "mine"}});
    assert!(!ask(kill.to_string()).is_good(), "not an operator");
    assert!(
        !ask(LIST.to_owned()).text.contains("other"),
        "what it may not use it does not see"
    );
    assert_eq!((other.starts(), mine.calls("sleep")), (0, 0));
}

pub(crate) fn open_door_needs_a_lock() {
    let ended = Setup::backends(json!({}))
        .arg("--host")
        .arg("0.0.0.0")
        .arg("--port")
        .arg("0")
        .run();
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(
        ended.stderr.contains("0.0.0.0") && ended.stderr.contains("auth"),
        "{}",
        ended.stderr
    );
}

pub(crate) fn token_made_at_start() {
    let setup =
        Setup::config(json!({"auth": {"enabled": true, "bearer_token": "auto"}, "backends": {}}));
    let home = setup.home().to_owned();
    let gateway = setup.start();
    let line = gateway.logged(&["token", home.to_str().unwrap()]);
    let start = line.find(home.to_str().unwrap()).unwrap();
    let path: String = line[start..]
        .chars()
        .take_while(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '`' | ',' | ';' | ')'))
        .collect();
    let path = path.trim_end_matches(['.', ':']);
    let token = std::fs::read_to_string(path).unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(!gateway.log().join("\n").contains(token.trim()));
    let asked = Request::post("/mcp", LIST);
    assert_eq!(gateway.send(&asked).status, 401);
    let bearer = format!("Bearer {}", token.trim());
    assert_eq!(
        gateway.send(&asked.header("authorization", &bearer)).status,
        200
    );
}
