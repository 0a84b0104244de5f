//! Capabilities whose providers fail, are refused, or are asked by several clients.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    capability_calls::{file, look, serving, written},
    support::{Api, Collector, Gateway, Reply, Request, Says, Setup, hex, said, until},
};

fn at(api: &Api) -> Value {
    json!({"base_url": api.url(""), "path": "/"})
}

/// An API whose status can be changed.
fn with_status(status: u16) -> (Api, Arc<Mutex<u16>>) {
    let status = Arc::new(Mutex::new(status));
    let said = Arc::clone(&status);
    let api = Api::start(move |_| Some(Says::json(*said.lock().unwrap(), json!({"a": 1}))));
    (api, status)
}

fn other(mut file: Value) -> Value {
    file["name"] = json!("other");
    file
}

pub(crate) fn fails_alone() {
    let (broken, status) = with_status(404);
    let (well, _) = with_status(200);
    let gateway = serving(&[
        file(json!({}), "rest", at(&broken)),
        other(file(json!({}), "rest", at(&well))),
    ]);
    for _ in 0..12 {
        let reply = look(&gateway, json!({}));
        assert_eq!(reply.refusal(), "INVALID_PARAM", "{}", reply.said());
    }
    *status.lock().unwrap() = 500;
    let first = look(&gateway, json!({}));
    assert!(first.said().contains("it answered 500"), "{}", first.said());
    until("the circuit of the provider is open", || {
        (look(&gateway, json!({})).refusal() == "CIRCUIT_OPEN").then_some(())
    });
    assert_eq!(gateway.circuit("capabilities"), "Closed");
    let reply = gateway.invoke("capabilities", "other", json!({}));
    assert_eq!(reply.said(), r#"{"a":1}"#);
    let health = gateway.json("/health/backends");
    assert_eq!(health["capabilities"]["healthy"], true, "{health}");
    let failures = health["capabilities/look"]["failure_count"].as_u64();
    assert!(failures >= Some(1), "{health}");
    assert_eq!(health["capabilities/other"]["success_count"], 1, "{health}");
    for (api, healthy, state, failures) in [(&broken, false, 2.0, 5.0), (&well, true, 0.0, 0.0)] {
        let provider = &health[format!("capabilities/{}", api.url(""))];
        assert_eq!(provider["healthy"], healthy, "{health}");
        let labels = format!(r#"{{backend="capabilities",provider="{}"}}"#, api.url(""));
        let sample = |family: &str| gateway.sample(&format!("{family}{labels}"));
        assert_eq!(sample("mcp_provider_circuit_state"), Some(state));
        assert_eq!(sample("mcp_provider_failures_total"), Some(failures));
    }
}

pub(crate) fn the_next_is_asked() {
    let silent = Api::start(|_| None);
    let (broken, _) = with_status(503);
    let (well, _) = with_status(200);
    let mut file = file(json!({}), "rest", at(&silent));
    file["providers"]["primary"]["timeout"] = json!("150ms");
    file["providers"]["fallback"] = json!([
        {"service": "rest", "config": at(&broken)},
        {"service": "rest", "config": at(&well)},
    ]);
    let gateway = serving(&[file]);
    for round in 1..9 {
        let reply = look(&gateway, json!({}));
        assert_eq!(reply.said(), r#"{"a":1}"#, "{}", reply.raw_result());
        let meta = reply.result()["_meta"]["capability"].clone();
        assert_eq!(meta["provider"], format!("127.0.0.1:{}", well.port()));
        let errors: Vec<_> = meta["instead_of"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["error"].to_string())
            .collect();
        assert_eq!(errors.len(), 2);
        if round == 1 {
            assert!(errors[0].contains("no answer within"), "{errors:?}");
            assert!(errors[1].contains("503"), "{errors:?}");
        }
        if round == 8 {
            assert!(
                errors.iter().all(|error| error.contains("circuit")),
                "{errors:?}"
            );
        }
    }
    assert_eq!((silent.arrived().len(), broken.arrived().len()), (5, 5));
}

pub(crate) fn a_pause() {
    let api = Api::start(|_| Some(Says::text(429, "slow down").header("retry-after", "40")));
    let gateway = serving(&[file(json!({}), "rest", at(&api))]);
    for _ in 0..6 {
        let reply = look(&gateway, json!({}));
        assert_eq!(reply.refusal(), "RATE_LIMITED", "{}", reply.said());
        let wait = reply.recovery()["retry_after_ms"].as_u64().unwrap();
        assert!((39_000..=40_000).contains(&wait), "{wait}");
    }
    assert_eq!(gateway.circuit("capabilities"), "Closed");
}

pub(crate) fn addresses() {
    let (api, _) = with_status(200);
    let port = api.port();
    let away = Api::start(move |_| {
        Some(Says::text(302, "").header("location", &format!("http://127.0.0.2:{port}/")))
    });
    let refused = |gateway: &Gateway| {
        let reply = look(gateway, json!({}));
        assert!(!reply.is_good(), "{}", reply.raw_result());
        assert!(
            reply.said().contains("allow_private_networks"),
            "{}",
            reply.said()
        );
    };
    // What is allowed is 127.0.0.1 alone.
    refused(&serving(&[file(json!({}), "rest", at(&away))]));
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
    ] {
        let config = json!({"base_url": format!("http://{host}:{port}"), "path": "/"});
        let setup = Setup::config(json!({"capabilities": {"directories": ["capabilities"]}}));
        refused(&written(setup, &[file(json!({}), "rest", config)]).start());
    }
    assert!(api.arrived().is_empty());
}

pub(crate) fn kept_for_one_caller() {
    let count = Mutex::new(0);
    let api = Api::start(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        Some(Says::json(200, json!(*count)))
    });
    let mut private = file(json!({}), "rest", at(&api));
    private["cache"] = json!({"strategy": "exact", "ttl": "5m"});
    let public = other(private.clone());
    private["auth"] = json!({"required": true, "type": "bearer", "key": "env:KEY"});
    let config = json!({
        "capabilities": {"directories": ["capabilities"], "allow_private_networks": true},
        "auth": {"enabled": true, "api_keys": [
            {"name": "one", "key": "the-first-key-of-all"}, {"name": "two", "key": "the-second-key-of-all"},
        ]},
    });
    let setup = Setup::config(config).env("KEY", "hunter2-and-more");
    let gateway = written(setup, &[private, public]).start();
    let asked = |key: &str, tool: &str| -> String {
        let params = json!({"server": "capabilities", "tool": tool, "arguments": {}});
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "gateway_invoke", "params": params});
        let request = Request::post("/mcp", body.to_string());
        let request = request.header("authorization", &format!("Bearer {key}"));
        gateway.send(&request).reply().said()
    };
    let (one, two) = ("the-first-key-of-all", "the-second-key-of-all");
    assert_eq!(asked(one, "look"), "1");
    assert_eq!(asked(two, "look"), "2");
    assert_eq!(asked(one, "look"), "1");
    assert_eq!(asked(one, "other"), "3");
    assert_eq!(asked(two, "other"), "3");
    assert_eq!(api.arrived().len(), 3);
}

pub(crate) fn traced() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let (api, _) = with_status(200);
    let collector = Collector::start();
    let config = json!({
        "capabilities": {"directories": ["capabilities"], "allow_private_networks": true},
        "telemetry": {"traces": {"endpoint": collector.url()}},
    });
    let config_of = json!({"base_url": api.url(""), "path": "/a", "params": {"key": "{env.KEY}"}});
    let setup = Setup::config(config)
        .env("KEY", "hunter2-and-more")
        .env("OTEL_BSP_SCHEDULE_DELAY", "20");
    let gateway = written(setup, &[file(json!({}), "rest", config_of)]).start();
    let meta =
        json!({"traceparent": format!("00-{TRACE}-b7ad6b7169203331-01"), "baggage": "user=1"});
    let params = json!({"name": "look", "arguments": {}, "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
    let reply: Reply = gateway
        .send(&Request::post("/mcp/capabilities", body.to_string()))
        .reply();
    assert!(reply.is_good(), "{}", reply.said());
    let spans = collector.trace(TRACE, &["execute", "execute_provider"]);
    assert_eq!(spans[1].parent_span_id, spans[0].span_id);
    let asked = api.last();
    let parent = format!("00-{TRACE}-{}-01", hex(&spans[1].span_id));
    assert_eq!(asked.header("traceparent"), Some(&*parent));
    assert_eq!(asked.header("baggage"), None);
    for (key, value) in [
        ("capability", "look".to_owned()),
        ("provider", format!("127.0.0.1:{}", api.port())),
        ("http.request.method", "GET".to_owned()),
        ("url.full", api.url("/a")),
        ("http.response.status_code", "200".to_owned()),
    ] {
        assert_eq!(said(&spans[1], key), value);
    }
    assert_eq!(said(&spans[0], "request_id"), said(&spans[1], "request_id"));
    assert!(
        Duration::from_nanos(spans[1].end_time_unix_nano - spans[1].start_time_unix_nano)
            > Duration::ZERO
    );
}
