//! Tasks: they pass on the endpoint of one backend where both sides are of one era, are refused elsewhere, and nobody lists
//! those of others.

use serde_json::{Value, json};

use crate::{
    asked::askable,
    support::{Era, EraBackend, Gateway, Reply, Request, Setup, message, modern_offer::REVISION},
};

fn gateway(backend: &EraBackend) -> Gateway {
    let backends = json!({"backend": backend.config()});
    Setup::config(json!({"meta_mcp": {"enabled": false}, "backends": backends})).start()
}

/// A request of a modern client about the task.
fn modern(gateway: &Gateway, path: &str, method: &str) -> Reply {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": REVISION,
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
    });
    let params = json!({"taskId": "t-1", "_meta": meta});
    let request = Request::post(path, message(json!(1), method, &params))
        .header("mcp-protocol-version", REVISION)
        .header("mcp-method", method);
    gateway.send(&request).reply()
}

fn the_task() -> Value {
    json!({"taskId": "t-1"})
}

pub(crate) fn of_older_revisions() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = gateway(&backend);
    for capabilities in [json!({}), askable()] {
        let client = gateway.client("/mcp/backend", capabilities);
        let params = json!({"name": "echo", "arguments": {}, "task": {"ttl": 1000}});
        let made = client.ask("tools/call", params).result();
        assert_eq!(made["task"]["taskId"], "t-1");
        assert_eq!(
            client.ask("tasks/get", the_task()).result()["status"],
            "working"
        );
        assert_eq!(client.ask("tasks/result", the_task()).said(), "done");
        assert!(client.ask("tasks/cancel", the_task()).is_good());
    }
    let arrived = &backend.received("tasks/get")[0].body;
    let arrived: Value = serde_json::from_str(arrived).unwrap();
    assert_eq!(arrived["params"], the_task());
}

pub(crate) fn of_the_newest_revision() {
    let backend = EraBackend::start(Era::Modern);
    let gateway = gateway(&backend);
    let got = modern(&gateway, "/mcp/backend", "tasks/get").result();
    assert_eq!(got["taskId"], "t-1");
    let arrived = &backend.received("tasks/get")[0].body;
    assert!(
        arrived.contains("io.modelcontextprotocol/tasks"),
        "{arrived}"
    );
}

pub(crate) fn nowhere_else() {
    let (old, new) = (
        EraBackend::start(Era::Legacy),
        EraBackend::start(Era::Modern),
    );
    let (to_old, to_new) = (gateway(&old), gateway(&new));
    let client = to_new.session("/mcp/backend");
    let aggregate = to_old.session("/mcp");
    for method in ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel"] {
        for refused in [
            client.ask(method, the_task()),
            modern(&to_old, "/mcp/backend", method),
            modern(&to_new, "/mcp", method),
            aggregate.ask(method, the_task()),
        ] {
            assert_eq!(refused.code(), -32601, "{method}: {}", refused.text);
        }
        assert!(old.received(method).is_empty() && new.received(method).is_empty());
    }
    assert!(
        client
            .ask("tasks/get", the_task())
            .text
            .contains("without `task`")
    );
    assert!(aggregate.welcome["capabilities"]["tasks"].is_null());
    // A server that has no tasks ignores that one is wanted.
    let arguments = json!({"message": "done at once"});
    let params = json!({"name": "backend__echo", "arguments": arguments, "task": {"ttl": 1000}});
    assert_eq!(aggregate.ask("tools/call", params).said(), "done at once");
}

pub(crate) fn of_others() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = gateway(&backend);
    let sharing = gateway.client("/mcp/backend", json!({}));
    let alone = gateway.client("/mcp/backend", askable());
    let can = |welcome: &Value| welcome["capabilities"]["tasks"].clone();
    assert_eq!(can(&sharing.welcome), json!({"cancel": {}}));
    assert_eq!(can(&alone.welcome), json!({"list": {}, "cancel": {}}));
    let refused = sharing.ask("tasks/list", json!({}));
    assert_eq!(refused.code(), -32601);
    assert!(refused.text.contains("tasks/get"), "{}", refused.text);
    assert!(backend.received("tasks/list").is_empty());
    assert!(alone.ask("tasks/list", json!({})).is_good());
    let listed = backend.received("tasks/list")[0]
        .header("mcp-session-id")
        .map(str::to_owned);
    assert!(sharing.call("echo", json!({})).is_good());
    let shared = backend.received("tools/call")[0]
        .header("mcp-session-id")
        .map(str::to_owned);
    assert!(listed.is_some() && listed != shared, "{listed:?}");
}
