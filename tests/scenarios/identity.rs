//! Who gets which answer: equal ids, ids of the other side, strays, and two users on one backend.

use std::thread;

use serde_json::json;

use crate::support::{Gateway, HttpBackend, Setup, StdioBackend, frame::Frame};

fn both() -> (StdioBackend, HttpBackend, Gateway) {
    let (stdio, http) = (StdioBackend::new(&[]), HttpBackend::start());
    let gateway = Setup::backends(json!({"stdio": stdio.config(), "http": http.config()})).start();
    (stdio, http, gateway)
}

pub(crate) fn same_id_of_two_clients() {
    let (_stdio, _http, gateway) = both();
    let gateway = &gateway;
    thread::scope(|scope| {
        for client in 0..6 {
            scope.spawn(move || {
                let backend = if client % 2 == 0 { "stdio" } else { "http" };
                let session = gateway.session(&format!("/mcp/{backend}"));
                for round in 0..30 {
                    let mine = format!("client {client} round {round}");
                    let reply = session.call("echo", json!({"message": mine}));
                    assert_eq!(reply.said(), mine);
                    assert_eq!(reply.id(), "1");
                }
            });
        }
    });
}

pub(crate) fn same_id_of_the_backend() {
    let (_stdio, _http, gateway) = both();
    let reply = gateway.invoke("stdio", "same_id", json!({}));
    let answer = Frame::parse(&reply.said()).unwrap();
    assert_eq!(
        answer.method(),
        "",
        "the backend's own request was answered: {}",
        reply.said()
    );
    assert!(reply.said().contains("result"), "{}", reply.said());
}

pub(crate) fn strays() {
    let (_stdio, _http, gateway) = both();
    assert_eq!(
        gateway.invoke("stdio", "stray", json!({})).said(),
        "after the strays"
    );
    assert_eq!(gateway.circuit("stdio"), "Closed");
}

/// A gateway where two users hold a key each.
fn two_users(backends: serde_json::Value) -> Gateway {
    let keys = json!([{"key": "key-of-ann", "name": "ann"}, {"key": "key-of-bob", "name": "bob"}]);
    Setup::config(json!({"auth": {"enabled": true, "api_keys": keys}, "backends": backends}))
        .start()
}

const ANN: &[(&str, &str)] = &[("authorization", "Bearer key-of-ann")];
const BOB: &[(&str, &str)] = &[("authorization", "Bearer key-of-bob")];

pub(crate) fn session_of_somebody_else() {
    let backend = StdioBackend::new(&[]);
    let gateway = two_users(json!({"backend": backend.config()}));
    let ann = gateway.session_with("/mcp", ANN);
    let stolen = ann.post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(gateway.send(&stolen).status, 200);
    let stolen = stolen.header("authorization", "Bearer key-of-bob");
    assert_eq!(gateway.send(&stolen).status, 404, "as if it did not exist");
    let ending = ann
        .request("DELETE")
        .header("authorization", "Bearer key-of-bob");
    assert_eq!(gateway.send(&ending).status, 404);
    let listening = ann
        .request("GET")
        .header("authorization", "Bearer key-of-bob");
    assert_eq!(gateway.send(&listening).status, 404);
    assert!(ann.ask("tools/list", json!({})).is_good(), "still hers");
}

pub(crate) fn notifications_stay_apart() {
    let backend = StdioBackend::new(&[]);
    let gateway = &two_users(json!({"backend": backend.config()}));
    thread::scope(|scope| {
        for (user, steps) in [(ANN, 2), (BOB, 5), (ANN, 3), (BOB, 7)] {
            scope.spawn(move || {
                let session = gateway.session_with("/mcp/backend", user);
                for _ in 0..10 {
                    let params = json!({"name": "progress", "arguments": {"steps": steps}, "_meta": {"progressToken": 1}});
                    let reply = session.ask("tools/call", params);
                    assert_eq!(reply.before.len(), steps, "only its own progress");
                    assert!(reply.before.iter().all(|event| event.contains(r#""progressToken":1,"#)));
                }
            });
        }
    });
}
