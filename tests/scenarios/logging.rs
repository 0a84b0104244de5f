//! The log says what `docs/logging.md` says that it says, in both shapes.

use serde_json::{Value, json};

use crate::support::{Gateway, HttpBackend, Setup, message};

const PAGE: &str = include_str!("../../docs/logging.md");
/// Written once a minute, or an hour later, or when nobody reads: tests of their own hold them to the page.
const LATER: [&str; 3] = [
    "Health metrics",
    "Error budget no longer burning",
    "Log lines lost, nobody read them in time",
];

/// A row of the page: the message, its level and its fields.
fn rows() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let fields = cells[3].split_whitespace();
        let fields = fields.map(|field| field.trim_matches('`')).collect();
        (cells[1].trim_matches('`'), cells[2], fields)
    })
    .collect()
}

/// Everything happens that the page has a row for.
fn played(format: &str) -> Gateway {
    let (steady, mut shaky, mut broken) = (
        HttpBackend::start(),
        HttpBackend::start(),
        HttpBackend::start(),
    );
    let breaker = json!({
        "failure_threshold": 3, "success_threshold": 1, "reset_timeout": "100ms", "jitter": 0,
    });
    let gateway = Setup::config(json!({
        "server": {"access_log": true},
        "telemetry": {"overhead_budget": "1ms", "server_timing": true},
        "failsafe": {"retry": {"enabled": false}},
        "backends": {
            "steady": steady.config(),
            "shaky": {"http_url": shaky.url(), "circuit_breaker": breaker},
            "broken": {
                "http_url": broken.url(),
                "circuit_breaker": {"enabled": false},
                "slo": {"availability": 99},
            },
        },
    }))
    .arg("--log-format")
    .arg(format)
    .start();
    let large = json!({"name": "mirror", "arguments": {"message": "x".repeat(9 << 20)}});
    let session = gateway.session("/mcp/steady");
    let answer = session.send(&message(json!(1), "tools/call", &large));
    assert_eq!(answer.status, 200);
    for backend in ["shaky", "broken"] {
        assert!(gateway.invoke(backend, "echo", json!({})).is_good());
    }
    shaky.close();
    broken.close();
    for _ in 0..3 {
        gateway.invoke("shaky", "echo", json!({}));
    }
    gateway.invoke("shaky", "echo", json!({}));
    for _ in 0..15 {
        gateway.invoke("broken", "echo", json!({}));
    }
    shaky.reopen();
    gateway.answers_again("shaky");
    gateway.logged(&["Request failed, repeated"]);
    gateway
}

pub(crate) fn text_as_documented() {
    let gateway = played("text");
    for (message, level, fields) in rows() {
        if LATER.contains(&message) {
            continue;
        }
        let after = format!(": {message} ");
        let line = gateway.logged(&[level, &after]);
        let (_, written) = line.split_once(&after).unwrap();
        for field in fields {
            assert!(
                written.starts_with(&format!("{field}="))
                    || written.contains(&format!(" {field}=")),
                "{field} in {line}"
            );
        }
    }
}

pub(crate) fn json_as_documented() {
    let gateway = played("json");
    for (message, level, fields) in rows() {
        if LATER.contains(&message) {
            continue;
        }
        let line = gateway.logged(&[
            &format!("\"level\":\"{level}\""),
            &format!("\"message\":\"{message}\""),
        ]);
        let written: Value = serde_json::from_str(&line).unwrap();
        for field in fields {
            assert!(written.get(field).is_some(), "{field} in {line}");
        }
    }
}

pub(crate) fn each_request_once_in_the_access_log() {
    let backend = HttpBackend::start();
    let gateway = Setup::config(json!({
        "server": {"access_log": true},
        "auth": {"enabled": true, "api_keys": [{"key": "k", "name": "ci"}]},
        "backends": {"backend": backend.config()},
    }))
    .start();
    let key = [("authorization", "Bearer k")];
    let session = gateway.session_with("/mcp/backend", &key);
    let body = message(
        json!(7),
        "tools/call",
        &json!({"name": "echo", "arguments": {}}),
    );
    let answer = session.send(&body);
    let id = answer.header("x-request-id").unwrap();
    let line = gateway.logged(&["HTTP request", id]);
    for part in [
        "method=POST",
        "path=\"/mcp/backend\"",
        "status=200",
        &format!("bytes={}", answer.body.len()),
        "caller=\"ci\"",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_eq!(gateway.page("/metrics?key=hunter2").status, 401);
    let line = gateway.logged(&["HTTP request", "path=\"/metrics\"", "status=401"]);
    assert!(
        !line.contains("hunter2") && !line.contains("caller="),
        "{line}"
    );
}
