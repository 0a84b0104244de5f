//! What must not grow, and what must agree.

use std::{ops::Range, thread};

use serde_json::{Value, json};

use crate::support::{
    Events, Gateway, HttpBackend, Mood, Request, Setup, StdioBackend, memory, open_files, until,
};

/// The names and labels of all samples, without their values.
fn series(metrics: &str) -> Vec<String> {
    metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect()
}

pub(crate) fn random_names() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let round = |number: u32| {
        gateway.ask(&format!("random/method{number}"), json!({}));
        gateway.ask(
            "tools/call",
            json!({"name": format!("random_tool_{number}")}),
        );
        gateway.invoke("backend", &format!("random_tool_{number}"), json!({}));
        gateway.invoke(&format!("random_server_{number}"), "echo", json!({}));
        gateway.page(&format!("/random/path/{number}"));
        gateway.send(&Request::post(&format!("/mcp/random_{number}"), "{}"));
    };
    (0..20).for_each(round);
    let before = series(&gateway.page("/metrics").text());
    (20..120).for_each(round);
    let after = series(&gateway.page("/metrics").text());
    assert_eq!(before, after);
    assert!(
        after.iter().all(|name| !name.contains("random")),
        "{after:#?}"
    );
}

/// Requests in one POST.
const BATCH: usize = 100;

pub(crate) fn hundred_thousand_names() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    flood(&gateway, 0..100);
    let (before, held) = (gateway.page("/metrics").text(), memory(gateway.pid()).0);
    flood(&gateway, 100..1_100);
    let (after, holds) = (gateway.page("/metrics").text(), memory(gateway.pid()).0);
    assert_eq!(series(&before), series(&after));
    assert!(!after.contains("random"), "{after}");
    // Only digits may be added.
    assert!(after.len() < before.len() + before.lines().count() * 8);
    assert!(holds < held + (16 << 20), "{held} bytes, then {holds}");
}

/// Sends batches of requests with names that nobody has heard of, from four clients at once.
fn flood(gateway: &Gateway, batches: Range<usize>) {
    const CLIENTS: usize = 4;
    let client = |first: usize| {
        for number in batches.clone().skip(first).step_by(CLIENTS) {
            let path = ["/mcp", "/mcp/backend"][number % 2];
            let calls: Vec<Value> = (0..BATCH)
                .map(|place| stranger(number * BATCH + place))
                .collect();
            let answer = gateway.send(&Request::post(path, json!(calls).to_string()));
            let answers: Vec<Value> = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(answers.len(), BATCH);
        }
    };
    thread::scope(|scope| {
        for first in 0..CLIENTS {
            let client = &client;
            scope.spawn(move || client(first));
        }
    });
}

/// A request with a name that no other request has, of some length and with odd characters.
fn stranger(number: usize) -> Value {
    let noise = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    let name = format!("random\"{{}}\\\n{noise:x}{}", "y".repeat(noise % 50));
    let (method, params) = match number % 4 {
        0 => (name, json!({})),
        1 => (
            "tools/call".to_owned(),
            json!({"name": name, "arguments": {}}),
        ),
        2 => (
            "gateway_invoke".to_owned(),
            json!({"server": "backend", "tool": name}),
        ),
        _ => (
            "gateway_invoke".to_owned(),
            json!({"server": name, "tool": "echo"}),
        ),
    };
    json!({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
}

pub(crate) fn sessions_opened_and_dropped() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let round = || {
        let session = gateway.session("/mcp/backend");
        assert!(session.call("echo", json!({})).is_good());
        drop(session.listen());
        assert_eq!(session.end().status / 100, 2);
    };
    (0..10).for_each(|_| round());
    let files = open_files(gateway.pid());
    (0..100).for_each(|_| round());
    until("files and sockets come back", || {
        (open_files(gateway.pid()) <= files + 8).then_some(())
    });
    until("the count comes back", || {
        (gateway.sample("mcp_sessions") == Some(0.0)).then_some(())
    });
    assert_eq!(backend.starts(), 1);
}

pub(crate) fn idle_session() {
    let config = json!({"streaming": {"session_ttl": "300ms", "session_reaper_interval": "50ms"}, "backends": {}});
    let gateway = Setup::config(config).start();
    let session = gateway.session("/mcp");
    until("an idle session is ended", || {
        (gateway.sample("mcp_sessions") == Some(0.0)).then_some(())
    });
    let late = session.send(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(late.status, 404);
}

/// What each view says of the breaker of `server`, in the words of `/metrics.json`.
fn views(gateway: &Gateway) -> Vec<(&'static str, String)> {
    let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let named = |number: Option<f64>| match number {
        Some(0.0) => "Closed".to_owned(),
        Some(1.0) => "HalfOpen".to_owned(),
        Some(2.0) => "Open".to_owned(),
        other => format!("{other:?}"),
    };
    let sample = r#"mcp_circuit_state{backend="server"}"#;
    let open_metrics = gateway
        .send(&Request::new("GET", "/metrics").header("accept", "application/openmetrics-text"));
    let open_metrics = open_metrics.text();
    let line = open_metrics
        .lines()
        .find_map(|line| line.strip_prefix(sample));
    vec![
        ("log", logged_state(gateway)),
        ("live page", page_state(gateway)),
        ("/metrics.json", gateway.circuit("server")),
        ("/metrics", named(gateway.sample(sample))),
        (
            "OpenMetrics",
            named(line.and_then(|value| value.trim().parse().ok())),
        ),
        (
            "/health",
            said(&gateway.json("/health")["backends"]["server"]["circuit_state"]),
        ),
        (
            "why",
            said(&gateway.json("/health/backends/server/why")["circuit_state"]),
        ),
        (
            "list",
            said(
                &gateway.ask("gateway_list_servers", json!({})).result()["servers"][0]["circuit_breaker"],
            ),
        ),
    ]
}

/// The state that the last change in the log led to.
/// What the live page shows who opens it now.
fn page_state(gateway: &Gateway) -> String {
    let stream = Request::new("GET", "/ui/events").open(gateway.address());
    let hello = Events::of(stream.unwrap()).json();
    assert_eq!(hello["backends"][0]["name"], "server");
    let state = hello["backends"][0]["now"]["circuit"].as_str();
    state.unwrap_or_default().to_owned()
}

fn logged_state(gateway: &Gateway) -> String {
    let state = |line: &String| {
        let changes = [
            ("Circuit breaker opened", "Open"),
            ("Circuit breaker half-open", "HalfOpen"),
            ("Circuit breaker closed", "Closed"),
        ];
        let found = changes.into_iter().find(|(text, _)| line.contains(text));
        found.map(|(_, state)| state.to_owned())
    };
    let lines = gateway.log();
    let last = lines.iter().rev().find_map(state);
    last.unwrap_or_else(|| "Closed".to_owned())
}

fn assert_all_say(gateway: &Gateway, state: &str) {
    // The log comes through a pipe; nothing else lags behind.
    until("the log has come to it", || {
        (logged_state(gateway) == state).then_some(())
    });
    for (view, said) in views(gateway) {
        assert_eq!(said, state, "{view}");
    }
}

pub(crate) fn all_views_agree() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["circuit_breaker"] =
        json!({"failure_threshold": 2, "success_threshold": 1, "reset_timeout": "200ms"});
    let gateway = &Setup::backends(json!({"server": config})).start();
    assert_all_say(gateway, "Closed");
    server.feel(Mood::Status(503, ""));
    for _ in 0..2 {
        gateway.invoke("server", "echo", json!({}));
    }
    assert_all_say(gateway, "Open");
    server.feel(Mood::Hanging);
    let probe = || {
        until("a call is let through", || {
            let reply = gateway.invoke("server", "echo", json!({}));
            reply.is_good().then_some(())
        });
    };
    thread::scope(|scope| {
        let probing = scope.spawn(probe);
        until("the probe is on its way", || {
            (gateway.circuit("server") == "HalfOpen").then_some(())
        });
        assert_all_say(gateway, "HalfOpen");
        server.feel(Mood::Well);
        probing.join().unwrap();
    });
    assert_all_say(gateway, "Closed");
}
