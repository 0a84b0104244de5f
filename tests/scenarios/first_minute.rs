//! What a person sees in the first minute: the curl of the README, the demo backend, the log, the pages.

use serde_json::json;

use crate::support::{Request, Setup, StdioBackend, until};

pub(crate) fn curl_without_session() {
    let gateway = Setup::unconfigured().start();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_list_servers"}"#;
    let curl = Request::post("/mcp", body)
        .header("accept", "*/*")
        .header("user-agent", "curl/8.0");
    let answer = gateway.send(&curl);
    assert_eq!(answer.status, 200);
    let servers = answer.reply().result()["servers"].clone();
    assert_eq!(servers[0]["name"], "demo", "{servers}");
    for key in [
        "running",
        "transport",
        "tools_count",
        "circuit_breaker",
        "healthy",
        "status",
    ] {
        assert!(servers[0].get(key).is_some(), "{key} in {servers}");
    }
    let tool = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "gateway_list_servers", "arguments": {}}});
    let session = gateway.session("/mcp");
    assert!(session.send(&tool.to_string()).reply().is_good());
}

pub(crate) fn demo_tools() {
    let gateway = Setup::unconfigured().start();
    let tools = gateway
        .ask("gateway_list_tools", json!({"server": "demo"}))
        .result();
    assert_eq!(tools["total"], 4, "{tools}");
    assert_eq!(
        gateway
            .invoke("demo", "echo", json!({"message": "hi"}))
            .said(),
        "hi"
    );
    assert_eq!(
        gateway
            .invoke("demo", "add", json!({"a": 2, "b": 40}))
            .said(),
        "42"
    );
    assert!(gateway.invoke("demo", "sleep", json!({"ms": 1})).is_good());
    let failed = gateway.invoke("demo", "fail", json!({"message": "as asked"}));
    assert_eq!(failed.result()["isError"], true);
    assert!(failed.said().contains("as asked"));
    let found = gateway
        .ask("gateway_search_tools", json!({"query": "add numbers"}))
        .result();
    assert_eq!(found["matches"][0]["tool"], "add", "{found}");
    let session = gateway.session("/mcp/demo");
    let resources = session.ask("resources/list", json!({})).result();
    let uri = resources["resources"][0]["uri"].clone();
    assert!(session.ask("resources/read", json!({"uri": uri})).is_good());
    let prompts = session.ask("prompts/list", json!({})).result();
    let name = prompts["prompts"][0]["name"].clone();
    assert!(
        session
            .ask(
                "prompts/get",
                json!({"name": name, "arguments": {"name": "Ann"}})
            )
            .is_good()
    );
}

pub(crate) fn one_request_id_everywhere() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{"server":"backend","tool":"echo"}}"#;
    let answer = gateway.send(&Request::post("/mcp", body).header("x-request-id", id));
    assert_eq!(answer.header("x-request-id"), Some(id));
    let line = gateway.logged(&[
        "INFO",
        "Request completed successfully",
        id,
        "backend",
        "latency_ms",
        "tools/call",
    ]);
    assert!(
        line.contains("http_request"),
        "the span of the request: {line}"
    );
    assert!(
        line.matches(id).count() >= 2,
        "in the span and in the line: {line}"
    );
    let body = body.replace("echo", "exit_now");
    let own = gateway.send(&Request::post("/mcp", body).header("x-request-id", "not a uuid"));
    let own = own.header("x-request-id").unwrap().to_owned();
    assert_eq!(own.len(), 36, "{own}");
    gateway.logged(&["WARN", "Request failed", &own, "outcome", "error"]);
    gateway.logged(&[
        "WARN",
        "Failure in closed state",
        "backend",
        "failures",
        "threshold",
    ]);
    assert!(gateway.stdout().is_empty(), "stdout carries protocol only");
}

pub(crate) fn closed_circuit_traced() {
    let backend = StdioBackend::new(&[]);
    let setup = Setup::backends(json!({"backend": backend.config()}));
    let gateway = setup.env("RUST_LOG", "mcp_gateway=trace").start();
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    gateway.logged(&["TRACE", "Circuit closed, allowing request", "backend"]);
}

pub(crate) fn json_log() {
    let backend = StdioBackend::new(&[]);
    let setup = Setup::backends(json!({"backend": backend.config()}));
    let gateway = setup.arg("--log-format").arg("json").start();
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    let line = gateway.logged(&["Request completed successfully"]);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["level"], "INFO", "{line}");
}

pub(crate) fn pages() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let fresh = gateway.health("backend");
    assert_eq!(fresh["latency_p50_ms"], json!(null), "{fresh}");
    assert_eq!(
        (&fresh["healthy"], &fresh["last_success_ms"]),
        (&json!(true), &json!(0))
    );
    for _ in 0..3 {
        assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    }
    let used = gateway.health("backend");
    assert_eq!(used["backend"], "backend");
    assert!(used["success_count"].as_u64().unwrap() >= 3, "{used}");
    assert_eq!(
        (&used["failure_count"], &used["consecutive_failures"]),
        (&json!(0), &json!(0))
    );
    assert!(
        used["last_success_ms"].as_u64().unwrap() > 1_600_000_000_000,
        "{used}"
    );
    for quantile in ["latency_p50_ms", "latency_p95_ms", "latency_p99_ms"] {
        assert!(used[quantile].as_f64().unwrap() > 0.0, "{used}");
    }
    let health = gateway.json("/health");
    assert!(
        health["status"].is_string() && health["version"].is_string(),
        "{health}"
    );
    assert!(
        health["backends"]["backend"]["health_metrics"].is_object(),
        "{health}"
    );
    let lately = &health["backends"]["backend"]["last_60s"];
    assert!(lately["success_count"].as_u64().unwrap() >= 3, "{health}");
    assert!(lately["latency_p99_ms"].as_f64().unwrap() > 0.0, "{health}");
    let metrics = gateway.json("/metrics.json")["backends"]["backend"].clone();
    assert_eq!(metrics["circuit_state"], "Closed");
    assert!(
        metrics["request_count"].as_u64().unwrap() >= 3 && metrics["health"].is_object(),
        "{metrics}"
    );
    for path in ["/livez", "/readyz", "/health"] {
        until("the page is well", || {
            (gateway.page(path).status == 200).then_some(())
        });
    }
}

pub(crate) fn prometheus() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    for _ in 0..3 {
        assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    }
    let page = gateway.page("/metrics");
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
    let text = page.text();
    for name in [
        "mcp_backend_requests_total",
        "mcp_backend_request_duration_seconds",
        "mcp_tool_duration_seconds",
        "mcp_circuit_state",
        "mcp_circuit_transitions_total",
        "mcp_circuit_rejected_total",
        "mcp_gateway_overhead_seconds",
        "mcp_queue_wait_seconds",
        "mcp_sessions",
    ] {
        for head in ["HELP", "TYPE"] {
            assert!(text.contains(&format!("# {head} {name} ")), "{head} {name}");
        }
    }
    let count = r#"mcp_backend_request_duration_seconds_count{backend="backend"}"#;
    assert!(gateway.sample(count).unwrap() >= 3.0);
    let accept = Request::new("GET", "/metrics").header("accept", "application/json");
    assert!(gateway.send(&accept).text().starts_with('{'));
}

pub(crate) fn names_people_already_have() {
    let backend = StdioBackend::new(&[]);
    let setup = Setup::backends(json!({"backend": backend.config()}));
    let gateway = setup.env("MCP_GATEWAY_META_MCP__ENABLED", "false").start();
    let session = gateway.session("/mcp");
    let said = |name: &str| session.call(name, json!({"message": "hi"})).said();
    assert_eq!(said("backend:echo"), "hi");
    assert_eq!(said("backend__echo"), "hi");
    let text = json!("{\"message\":\"as text\"}");
    assert_eq!(gateway.invoke("backend", "echo", text).said(), "as text");
    assert!(
        session
            .ask("prompts/get", json!({"name": "backend/greet"}))
            .is_good()
    );
    assert!(
        session
            .ask("resources/read", json!({"uri": "memo:///one"}))
            .is_good()
    );
    let tools = session.ask("tools/list", json!({})).text;
    assert!(
        tools.contains("backend__echo"),
        "the environment overrides the file: {tools}"
    );
}

pub(crate) fn kill_and_revive() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    assert!(
        gateway
            .ask("gateway_kill_server", json!({"server": "backend"}))
            .is_good()
    );
    let stopped = gateway.invoke("backend", "echo", json!({}));
    assert_eq!(stopped.refusal(), "BACKEND_UNREACHABLE", "{stopped:?}");
    assert!(
        stopped.text.contains("gateway_revive_server"),
        "{}",
        stopped.text
    );
    assert!(
        gateway
            .ask("gateway_revive_server", json!({"server": "backend"}))
            .is_good()
    );
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    assert_eq!(backend.starts(), 2);
}

pub(crate) fn federated_names() {
    let (one, two) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let backends = json!({"one": one.config(), "two": two.config()});
    let gateway =
        Setup::config(json!({"meta_mcp": {"enabled": false}, "backends": backends})).start();
    let session = gateway.session("/mcp");
    let tools = session.ask("tools/list", json!({})).result();
    let names: Vec<_> = tools["tools"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    assert!(
        names.contains(&"one__echo") && names.contains(&"two__echo"),
        "{names:?}"
    );
    assert_eq!(
        session
            .call("two__echo", json!({"message": "to two"}))
            .said(),
        "to two"
    );
    assert_eq!((one.calls("echo"), two.calls("echo")), (0, 1));
}
