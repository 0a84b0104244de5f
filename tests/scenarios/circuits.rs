//! What opens a circuit and whose: a tool alone or a backend whole, rates and slow calls, modes, and the answer to "why".

use serde_json::{Value, json};

use crate::support::{Gateway, HttpBackend, Mood, Request, Setup, StdioBackend, until};

/// A gateway in front of `server`, which has these circuit settings and no retries.
fn in_front_of(server: &HttpBackend, circuit_breaker: Value) -> Gateway {
    let mut config = server.config();
    config["retry"] = json!({"enabled": false});
    config["circuit_breaker"] = circuit_breaker;
    Setup::backends(json!({"server": config})).start()
}

fn echo(gateway: &Gateway) -> String {
    gateway.invoke("server", "echo", json!({})).refusal()
}

pub(crate) fn failing_tool_opens_alone() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    for _ in 0..5 {
        let reply = gateway.invoke("backend", "refuse", json!({"code": -32603}));
        assert_eq!(reply.refusal(), "BACKEND_ERROR");
    }
    let refused = gateway.invoke("backend", "refuse", json!({"code": -32603}));
    assert_eq!(refused.refusal(), "CIRCUIT_OPEN", "{refused:?}");
    let told = refused.said();
    for part in [
        "\"refuse\"",
        "-32603",
        "refused by script",
        "use other tools",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(backend.calls("refuse"), 5);
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    assert_eq!(gateway.circuit("backend"), "Closed");
    let status = &gateway.json("/health")["backends"]["backend"];
    assert_eq!(status["open_tools"], json!(["refuse"]));
    assert_eq!(status["healthy"], true);
    let sample = r#"mcp_tool_circuit_state{backend="backend",tool="refuse"}"#;
    assert_eq!(gateway.sample(sample), Some(2.0));
    gateway.logged(&["WARN", "Circuit breaker opened", "refuse", "failures=5"]);
    let revived = gateway.ask("gateway_revive_server", json!({"server": "backend"}));
    assert!(revived.is_good(), "{revived:?}");
    gateway.invoke("backend", "refuse", json!({"code": -32603}));
    assert_eq!(backend.calls("refuse"), 6);
}

/// What a tool says of itself reaches other callers and operators: short, and without the secrets that its backend was given.
pub(crate) fn a_tool_s_words() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["env"] = json!({"TOKEN": "s3cret-token-value"});
    let gateway = Setup::backends(json!({"backend": config})).start();
    let message = format!("s3cret-token-value is refused {}", "again ".repeat(10_000));
    let refuse = || {
        let arguments = json!({"code": -32603, "message": message});
        gateway.invoke("backend", "refuse", arguments)
    };
    let refused = crate::support::until("the tool's circuit opens", || {
        let reply = refuse();
        (reply.refusal() == "CIRCUIT_OPEN").then_some(reply)
    });
    let why = gateway.page("/health/backends/backend/why").text();
    for told in [refused.said(), why, format!("{:?}", gateway.log())] {
        assert!(told.contains("*** is refused again"), "{told}");
        assert!(!told.contains("s3cret-token-value"), "{told}");
        assert!(told.len() < 50_000, "{}", told.len());
    }
}

pub(crate) fn dead_backend_opens_whole() {
    let server = HttpBackend::start();
    let gateway = in_front_of(
        &server,
        json!({"reset_timeout": "100ms", "max_reset_timeout": "100ms", "success_threshold": 1}),
    );
    server.feel(Mood::Status(503, ""));
    for _ in 0..5 {
        assert_eq!(echo(&gateway), "BACKEND_ERROR");
    }
    // It lets one through every 100 ms, which may be any call.
    let other = until("another tool is refused too", || {
        let other = gateway.invoke("server", "sse_plain", json!({}));
        (other.refusal() == "CIRCUIT_OPEN").then_some(other)
    });
    assert!(!other.said().contains("tool \""), "{}", other.said());
    server.feel(Mood::Well);
    until("the tool flows again with its backend", || {
        (echo(&gateway).is_empty()).then_some(())
    });
    let status = &gateway.json("/health")["backends"]["server"];
    assert_eq!(status.get("open_tools"), None);
}

pub(crate) fn tools_without_circuits() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["circuit_breaker"] = json!({"tools": {"enabled": false}});
    let gateway = Setup::backends(json!({"backend": config})).start();
    for _ in 0..9 {
        let reply = gateway.invoke("backend", "refuse", json!({"code": -32603}));
        assert_eq!(reply.refusal(), "BACKEND_ERROR");
    }
    assert_eq!(backend.calls("refuse"), 9);
}

pub(crate) fn slow_tool_opens_alone() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["circuit_breaker"] = json!({"slow_call": {"duration": "300ms", "rate": 60, "window": "60s", "minimum_calls": 4}});
    let gateway = Setup::backends(json!({"backend": config})).start();
    for _ in 0..8 {
        assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    }
    for _ in 0..4 {
        assert!(
            gateway
                .invoke("backend", "sleep", json!({"ms": 350}))
                .is_good()
        );
    }
    let refused = gateway.invoke("backend", "sleep", json!({"ms": 350}));
    assert_eq!(refused.refusal(), "CIRCUIT_OPEN");
    assert!(
        refused.said().contains("300ms is slow"),
        "{}",
        refused.said()
    );
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    assert_eq!(gateway.circuit("backend"), "Closed");
}

pub(crate) fn rate_over_time() {
    let server = HttpBackend::start();
    let policy = json!({"time_window": {"window": "60s", "failure_rate": 50, "minimum_calls": 10}});
    let gateway = in_front_of(&server, json!({"policy": policy}));
    for _ in 0..6 {
        assert_eq!(echo(&gateway), "");
    }
    server.feel(Mood::Status(503, ""));
    let failures = (1..20).find(|_| {
        assert_eq!(echo(&gateway), "BACKEND_ERROR");
        gateway.circuit("server") == "Open"
    });
    // The good calls are the six above and the listing that the first of them asked for.
    assert_eq!(failures, Some(7));
}

pub(crate) fn asked_for_a_pause() {
    let server = HttpBackend::start();
    let gateway = in_front_of(
        &server,
        json!({"failure_threshold": 1, "reset_timeout": "100ms", "max_reset_timeout": "1s"}),
    );
    server.feel(Mood::Status(503, "retry-after: 120\r\n"));
    assert_eq!(echo(&gateway), "BACKEND_ERROR");
    let refused = gateway.invoke("server", "echo", json!({}));
    let wait_ms = refused.recovery()["retry_after_ms"].as_u64().unwrap();
    assert!((60_000..=120_000).contains(&wait_ms), "{wait_ms}");
}

pub(crate) fn shadow() {
    let server = HttpBackend::start();
    let gateway = in_front_of(&server, json!({"mode": "shadow", "failure_threshold": 2}));
    server.feel(Mood::Status(503, ""));
    for _ in 0..2 {
        assert_eq!(echo(&gateway), "BACKEND_ERROR");
    }
    assert_eq!(gateway.circuit("server"), "Open");
    for _ in 0..3 {
        assert_eq!(echo(&gateway), "BACKEND_ERROR");
    }
    assert_eq!(server.arrivals("echo"), 5);
    let sample = |name: &str| gateway.sample(&format!("{name}{{backend=\"server\"}}"));
    assert_eq!(sample("mcp_circuit_shadow_passed_total"), Some(3.0));
    assert_eq!(sample("mcp_circuit_rejected_total"), Some(0.0));
    gateway.logged(&["WARN", "Circuit open in shadow mode, letting requests pass"]);
    let status = &gateway.json("/health")["backends"]["server"];
    assert_eq!(status["circuit_mode"], "shadow");
}

pub(crate) fn forced() {
    let server = HttpBackend::start();
    let gateway = in_front_of(&server, json!({"mode": "forced_open"}));
    let refused = gateway.invoke("server", "echo", json!({}));
    assert_eq!(refused.refusal(), "CIRCUIT_OPEN");
    assert!(refused.said().contains("an operator keeps"), "{refused:?}");
    assert_eq!(refused.recovery().get("retry_after_ms"), None);
    gateway.ask("gateway_revive_server", json!({"server": "server"}));
    assert_eq!(echo(&gateway), "CIRCUIT_OPEN");
    assert_eq!(server.arrivals("echo"), 0);
    let status = &gateway.json("/health")["backends"]["server"];
    assert_eq!(status["circuit_mode"], "forced_open");
    let gateway = in_front_of(&server, json!({"mode": "forced_closed"}));
    server.feel(Mood::Status(503, ""));
    for _ in 0..9 {
        assert_eq!(echo(&gateway), "BACKEND_ERROR");
    }
    assert_eq!(gateway.circuit("server"), "Closed");
}

pub(crate) fn why() {
    let mut server = HttpBackend::start();
    let gateway = in_front_of(&server, json!({}));
    assert_eq!(echo(&gateway), "");
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{"server":"server","tool":"echo"}}"#;
    server.feel(Mood::Status(503, ""));
    gateway.send(&Request::post("/mcp", call).header("x-request-id", id));
    server.close();
    while gateway.circuit("server") == "Closed" {
        echo(&gateway);
    }
    let why = gateway.json("/health/backends/server/why");
    let summary = why["summary"].as_str().unwrap();
    for part in [
        "opened ",
        " UTC after 5 failures in ",
        ": connection refused (4), HTTP 503 (1); next probe in ",
    ] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
    let of_the_call = |list: &str| {
        let entries = why[list].as_array().unwrap().iter();
        let found = entries.filter(|entry| entry["request_id"] == id).cloned();
        found.collect::<Vec<_>>()
    };
    assert_eq!(of_the_call("outcomes")[0]["outcome"], "server_error");
    let failure = &of_the_call("failures")[0];
    assert_eq!(failure["cause"], "server_error");
    assert!(failure["latency_ms"].as_f64().unwrap() > 0.0);
    let change = &why["changes"][0];
    assert_eq!(
        (&change["to"], &change["cause"]),
        (&json!("Open"), &json!("unreachable"))
    );
    assert!(
        change["request_id"].is_string() && change["latency_ms"].is_number(),
        "{change}"
    );
}

/// `mcp-gateway why NAME` at a gateway that runs with authentication, as its operator asks.
pub(crate) fn why_from_the_shell() {
    let auth = json!({"enabled": true, "bearer_token": "a-token-of-some-length"});
    let config =
        json!({"auth": auth, "backends": {"other": {"http_url": "http://127.0.0.1:1/mcp"}}});
    let gateway = Setup::config(config.clone()).start();
    let ask = |name: &str, port: u16| {
        Setup::config(config.clone())
            .arg("why")
            .arg(name)
            .arg("--port")
            .arg(&port.to_string())
            .run()
    };
    let port = gateway.address().port();
    let told = ask("other", port);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(
        told.stdout
            .starts_with("other: closed since the start, with no failure on record\n"),
        "{told:?}"
    );
    let slip = ask("othr", port);
    assert_eq!(slip.code, 2);
    assert!(slip.stderr.contains("other"), "{slip:?}");
    let nobody = ask("other", 1);
    assert_eq!(nobody.code, 1);
    assert!(
        nobody.stderr.contains("No gateway answers at 127.0.0.1:1"),
        "{nobody:?}"
    );
    let without_key = gateway.page("/health/backends/other/why");
    assert_eq!(without_key.status, 401);
    let by_key = json!({"enabled": true, "api_keys": [
        {"key": "bound-to-another", "name": "bound", "backends": ["another"]},
        {"key": "free-of-all-bounds", "name": "free"},
    ]});
    let config = json!({"auth": by_key, "backends": {"other": {"http_url": "http://127.0.0.1:1/mcp"}, "another": {"http_url": "http://127.0.0.1:1/mcp"}}});
    let gateway = Setup::config(config.clone()).start();
    let port = gateway.address().port().to_string();
    let told = Setup::config(config)
        .arg("why")
        .arg("other")
        .arg("--port")
        .arg(&port);
    assert_eq!(told.run().code, 0);
}
