//! Tools of a backend of revision 2026-07-28 whose definitions say which arguments are repeated in headers.

use serde_json::{Value, json};

use crate::{
    reload::tools,
    support::{Era, EraBackend, Gateway, Setup, until},
};

fn tool(name: &str, property: Value) -> Value {
    let properties = json!({"message": property});
    json!({"name": name, "inputSchema": {"type": "object", "properties": properties}})
}

/// `echo`, whose message is repeated in this header.
fn echo(header: &str) -> Value {
    tool("echo", json!({"type": "string", "x-mcp-header": header}))
}

fn gateway(backend: &EraBackend) -> Gateway {
    let backends = json!({"backend": backend.config()});
    Setup::config(json!({"meta_mcp": {"enabled": false}, "backends": backends})).start()
}

pub(crate) fn left_out() {
    let backend = EraBackend::start(Era::Modern);
    let wrong = tool("wrong", json!({"type": "number", "x-mcp-header": "Size"}));
    backend.defines(&[echo("Region"), wrong]);
    let gateway = gateway(&backend);
    let client = gateway.session("/mcp");
    assert_eq!(tools(&client), ["backend__echo"]);
    assert_eq!(
        client
            .call("backend__echo", json!({"message": "here"}))
            .said(),
        "here"
    );
    for refused in [
        client.call("backend__wrong", json!({"message": 1})),
        gateway.invoke("backend", "wrong", json!({"message": 1})),
    ] {
        assert_eq!(refused.code(), -32602, "{}", refused.text);
    }
    let direct = gateway.session("/mcp/backend");
    assert_eq!(
        tools(&direct),
        ["echo", "wrong"],
        "its own endpoint shows it as it is"
    );
    backend.listeners(1);
    let read = backend.received("tools/list").len();
    backend.tell("notifications/tools/list_changed", json!({}));
    until("the list is read again", || {
        (backend.received("tools/list").len() > read).then_some(())
    });
    assert_eq!(tools(&client), ["backend__echo"]);
    gateway.logged(&[
        "WARN",
        "left out",
        "backend",
        "wrong",
        "message",
        "no string",
    ]);
    let told = gateway.log();
    let told = told.iter().filter(|line| line.contains("left out"));
    assert_eq!(told.count(), 1, "it is told of once");
}

pub(crate) fn changed() {
    let backend = EraBackend::start(Era::Modern);
    backend.defines(&[echo("Region")]);
    let gateway = gateway(&backend);
    let client = gateway.session("/mcp");
    let calls = || backend.received("tools/call").len();
    for (path, name) in [("/mcp", "backend__echo"), ("/mcp/backend", "echo")] {
        let client = gateway.session(path);
        backend.defines(&[echo("Region")]);
        assert_eq!(client.call(name, json!({"message": "here"})).said(), "here");
        backend.defines(&[echo("Zone")]);
        let before = calls();
        assert_eq!(
            client.call(name, json!({"message": "there"})).said(),
            "there"
        );
        assert_eq!(calls() - before, 2, "refused once, then sent once more");
    }
    assert_eq!(
        client
            .call("backend__echo", json!({"message": "so"}))
            .said(),
        "so"
    );
    let zone = backend.received("tools/call").pop().unwrap();
    assert_eq!(zone.header("mcp-param-zone"), Some("so"));
    assert_eq!(zone.header("mcp-param-region"), None);
    assert_eq!(gateway.health("backend")["failure_count"], 0);
}
