//! What a client hears that has a session or child of its own at a backend: each thing once, though all others hear it too.

use serde_json::{Value, json};

use crate::{
    asked::askable,
    heard::{RESOURCES, TOOLS, UPDATED, gateway, next, subscribe},
    support::{Era, EraBackend, Events, Session, Setup, StdioBackend, message, until},
};

const URI: &str = "legacy:///one";

/// Waits for an update with this number.
fn until_told(events: &mut Events, number: u64) -> Vec<Value> {
    let mut told = Vec::new();
    while told
        .last()
        .is_none_or(|it: &Value| it["params"]["n"] != number)
    {
        told.push(next(events, &[UPDATED, RESOURCES]));
    }
    told
}

fn of(told: &[Value], method: &str) -> usize {
    told.iter().filter(|it| it["method"] == method).count()
}

pub(crate) fn once() {
    // On `/mcp` a list that is the same as before has not changed.
    for (path, lists) in [("/mcp/backend", 1), ("/mcp", 0)] {
        let backend = EraBackend::start(Era::Legacy);
        let gateway = gateway(&backend);
        let clients = [askable(), json!({})].map(|can| gateway.client(path, can));
        for client in &clients {
            subscribe(client, "subscribe", URI);
        }
        let mut streams = clients.each_ref().map(Session::listen);
        let sessions = backend.listeners(2);
        let subscribed = backend.received("resources/subscribe");
        let mut by = subscribed.iter().map(|it| it.header("mcp-session-id"));
        assert!(by.any(|by| by == Some(&*sessions[1])), "in its own session");
        backend.tell(UPDATED, json!({"uri": URI, "n": 1}));
        backend.tell(RESOURCES, json!({}));
        backend.tell(UPDATED, json!({"uri": URI, "n": 2}));
        let mut told = streams.each_mut().map(|events| until_told(events, 2));
        for ((client, events), told) in clients.iter().zip(streams).zip(&mut told) {
            client.end();
            told.extend(events.rest());
            assert_eq!(of(told, UPDATED), 2, "{path}: {told:?}");
            assert_eq!(of(told, RESOURCES), lists, "{path}: {told:?}");
        }
    }
}

pub(crate) fn until_it_unsubscribes() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = gateway(&backend);
    let clients = [askable(), json!({})].map(|can| gateway.client("/mcp/backend", can));
    for client in &clients {
        subscribe(client, "subscribe", URI);
    }
    let sessions = backend.listeners(2);
    let mut events = clients[0].listen();
    subscribe(&clients[0], "unsubscribe", URI);
    let left = backend.received("resources/unsubscribe");
    let by: Vec<_> = left.iter().map(|it| it.header("mcp-session-id")).collect();
    assert_eq!(by, [Some(&*sessions[1])], "the others go on to hear of it");
    backend.tell(UPDATED, json!({"uri": URI, "n": 1}));
    backend.tell(RESOURCES, json!({}));
    let told = next(&mut events, &[UPDATED, RESOURCES]);
    assert_eq!(told["method"], RESOURCES);
}

pub(crate) fn again_after_an_operator_s_stop() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = gateway(&backend);
    let client = gateway.client("/mcp/backend", askable());
    subscribe(&client, "subscribe", URI);
    for method in ["gateway_kill_server", "gateway_revive_server"] {
        assert!(gateway.ask(method, json!({"server": "backend"})).is_good());
    }
    assert!(client.call("echo", json!({})).is_good());
    let own = backend.listeners(2).pop().unwrap();
    let subscribed = backend.received("resources/subscribe").pop().unwrap();
    assert_eq!(subscribed.header("mcp-session-id"), Some(&*own));
    let mut events = client.listen();
    backend.tell_one(&own, UPDATED, json!({"uri": URI}));
    assert_eq!(next(&mut events, &[UPDATED])["params"]["uri"], URI);
}

/// A child of its own has changed, and its lists are those of the one that all share.
pub(crate) fn of_what_all_share() {
    let late = StdioBackend::new(&["--late-tools", "--asks"]);
    let config = json!({"meta_mcp": {"enabled": false}, "backends": {"late": late.config()}});
    let gateway = Setup::config(config).start();
    let client = gateway.client("/mcp", askable());
    let named = |tool: &str| {
        let tools = client.ask("tools/list", json!({})).result()["tools"].take();
        let names = tools.as_array().unwrap().iter();
        let mut names = names.filter_map(|tool| tool["name"].as_str());
        names.find(|name| name.ends_with(tool)).map(str::to_owned)
    };
    assert!(named("ask").is_some() && named("reveal").is_none());
    let mut events = client.listen();
    let direct = gateway.session("/mcp/late");
    assert!(direct.call("reveal", json!({})).is_good());
    next(&mut events, &[TOOLS]);
    let reveal = until("the tools are listed", || named("reveal"));
    let read = late.received("tools/list").len();
    let params = json!({"name": reveal, "arguments": {}});
    let answer = client
        .send(&message(json!(7), "tools/call", &params))
        .text();
    assert!(
        answer.contains("revealed") && !answer.contains(TOOLS),
        "{answer}"
    );
    until("its child's word is taken", || {
        (late.received("tools/list").len() > read).then_some(())
    });
    client.end();
    let told: Vec<_> = events.rest().filter(|it| it["method"] == TOOLS).collect();
    assert!(told.is_empty(), "{told:?}");
}
