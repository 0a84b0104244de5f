//! Another configuration while the gateway runs: what becomes of backends, of calls that have begun, and of clients.

use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Gateway, Request, Session, Setup, StdioBackend, is_alive, message, until};

pub(crate) const CHANGED: &str = "notifications/tools/list_changed";

/// The process that answers.
pub(crate) fn pid(gateway: &Gateway, backend: &str) -> u32 {
    let said = gateway.invoke(backend, "whoami", json!({})).said();
    said.parse().unwrap_or_else(|_| panic!("no pid: {said}"))
}

/// The same backend with another description, which makes another one of it.
pub(crate) fn described(backend: &StdioBackend, description: &str) -> Value {
    let mut config = backend.config();
    config["description"] = json!(description);
    config
}

pub(crate) fn ends(pid: u32) {
    until("the child is gone", || (!is_alive(pid)).then_some(()));
}

/// What a reload that is taken over says.
pub(crate) fn taken_over(gateway: &Gateway) -> Value {
    let result = gateway.reload().result();
    assert_eq!(result["reloaded"], true, "{result}");
    result
}

pub(crate) fn tools(session: &Session) -> Vec<String> {
    let result = session.ask("tools/list", json!({})).result();
    let tools = result["tools"].as_array().unwrap().iter();
    tools
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The HTTP status of a ping in this session.
fn status(gateway: &Gateway, session: &Session) -> u16 {
    let ping = message(json!(1), "ping", &json!({}));
    session.post(&ping).send(gateway.address()).unwrap().status
}

pub(crate) fn mended_command() {
    let backend = StdioBackend::new(&[]);
    let missing = json!({"command": "/no/such/program"});
    let gateway = Setup::backends(json!({"backend": missing})).start();
    let reply = gateway.invoke("backend", "echo", json!({}));
    assert_eq!(reply.refusal(), "BACKEND_UNREACHABLE", "{reply:?}");
    assert!(gateway.json("/health")["backends"]["backend"]["permanent"].is_string());
    gateway.configure(&json!({"backends": {"backend": backend.config()}}));
    assert_eq!(taken_over(&gateway)["changed"], json!(["backend"]));
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    assert_eq!(gateway.json("/health")["status"], "healthy");
}

pub(crate) fn two_at_once() {
    let (kept, new) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let gateway = Setup::backends(json!({"kept": kept.config()})).start();
    let before = pid(&gateway, "kept");
    gateway.configure(&json!({"backends": {"kept": kept.config(), "new": new.config()}}));
    thread::scope(|scope| {
        let reloads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| taken_over(&gateway)))
            .collect();
        for reload in reloads {
            let result = reload.join().unwrap();
            let known = result["unchanged"].as_u64().unwrap();
            let added = result["added"].as_array().unwrap().len() as u64;
            assert_eq!(known + added, 2, "{result}");
        }
    });
    assert_eq!(pid(&gateway, "kept"), before);
    assert!(gateway.invoke("new", "echo", json!({})).is_good());
    assert_eq!((kept.starts(), new.starts()), (1, 1));
}

pub(crate) fn during_calls() {
    let (changed, removed) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let backends = json!({"changed": changed.config(), "removed": removed.config()});
    let gateway = Setup::backends(backends).start();
    let old = [pid(&gateway, "changed"), pid(&gateway, "removed")];
    let sleep = json!({"ms": 1500});
    thread::scope(|scope| {
        let calls: Vec<_> = ["changed", "removed"]
            .into_iter()
            .map(|name| {
                let session = gateway.session(&format!("/mcp/{name}"));
                let sleep = sleep.clone();
                scope.spawn(move || session.call("sleep", sleep))
            })
            .collect();
        until("both calls are in flight", || {
            (changed.calls("sleep") + removed.calls("sleep") == 2).then_some(())
        });
        gateway.configure(&json!({"backends": {"changed": described(&changed, "new")}}));
        let result = taken_over(&gateway);
        assert_eq!(result["changed"], json!(["changed"]));
        assert_eq!(result["removed"], json!(["removed"]));
        let new = pid(&gateway, "changed");
        assert!(!old.contains(&new), "a new call finds the new child");
        let unknown = gateway.invoke("removed", "echo", json!({}));
        assert_eq!(unknown.code(), -32001, "{unknown:?}");
        assert!(old.iter().all(|&pid| is_alive(pid)), "they still answer");
        for call in calls {
            assert_eq!(call.join().unwrap().said(), "slept");
        }
    });
    old.into_iter().for_each(ends);
    assert_eq!(gateway.health("removed"), Value::Null);
    assert_eq!((changed.starts(), removed.starts()), (2, 1));
    let page = gateway.page("/metrics").text();
    assert!(!page.contains("\"removed\""), "{page}");
}

/// A call that hangs at a backend, in a thread that ends with it.
fn hanging<'a>(
    scope: &'a thread::Scope<'a, '_>,
    gateway: &Gateway,
    backend: &StdioBackend,
) -> thread::ScopedJoinHandle<'a, String> {
    let session = gateway.session("/mcp/backend");
    let hanging = scope.spawn(move || session.call("hang", json!({})).refusal());
    until("the call hangs", || {
        (backend.calls("hang") == 1).then_some(())
    });
    hanging
}

pub(crate) fn cut_calls() {
    let backend = StdioBackend::new(&[]);
    let server = json!({"shutdown_timeout": "300ms"});
    let config = json!({"server": server, "backends": {"backend": backend.config()}});
    let gateway = Setup::config(config).start();
    let old = pid(&gateway, "backend");
    thread::scope(|scope| {
        let call = hanging(scope, &gateway, &backend);
        gateway.configure(&json!({"server": server, "backends": {}}));
        assert_eq!(taken_over(&gateway)["removed"], json!(["backend"]));
        assert_eq!(call.join().unwrap(), "BACKEND_UNREACHABLE");
    });
    ends(old);
    gateway.logged(&["WARN", "did not end within the shutdown timeout", "backend"]);
}

pub(crate) fn stopped_meanwhile() {
    let backend = StdioBackend::new(&[]);
    let server = json!({"shutdown_timeout": "500ms"});
    let config = json!({"server": server, "backends": {"backend": backend.config()}});
    let mut gateway = Setup::config(config).start();
    let old = pid(&gateway, "backend");
    thread::scope(|scope| {
        let call = {
            let session = gateway.session("/mcp/backend");
            let call = message(json!(1), "tools/call", &json!({"name": "hang"}));
            let (post, address) = (session.post(&call), gateway.address());
            scope.spawn(move || drop(post.send(address)))
        };
        until("the call hangs", || {
            (backend.calls("hang") == 1).then_some(())
        });
        gateway.configure(&json!({"server": {"shutdown_timeout": "1h"}, "backends": {}}));
        taken_over(&gateway);
        gateway.configure(&json!({"server": server, "backends": {}}));
        taken_over(&gateway);
        gateway.signal(Signal::TERM);
        assert_eq!(gateway.wait().code(), Some(0));
        call.join().unwrap();
    });
    ends(old);
}

/// A session of a client that can be asked, which gets a child of its own.
fn asked(gateway: &Gateway) -> String {
    let params = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "asked", "version": "1"},
    });
    let opened = Request::post("/mcp/backend", message(json!(0), "initialize", &params));
    let opened = gateway.send(&opened);
    opened.header("mcp-session-id").unwrap().to_owned()
}

fn said(gateway: &Gateway, session: &str, tool: &str, arguments: &Value) -> String {
    let params = json!({"name": tool, "arguments": arguments});
    let call = Request::post("/mcp/backend", message(json!(1), "tools/call", &params));
    let call = call
        .header("mcp-session-id", session)
        .header("mcp-protocol-version", "2025-06-18");
    gateway.send(&call).reply().said()
}

pub(crate) fn own_children() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let shared = pid(&gateway, "backend");
    let session = asked(&gateway);
    let own = || {
        said(&gateway, &session, "whoami", &json!({}))
            .parse::<u32>()
            .unwrap()
    };
    let before = own();
    assert_ne!(before, shared);
    thread::scope(|scope| {
        let slept = scope.spawn(|| said(&gateway, &session, "sleep", &json!({"ms": 1000})));
        until("the call is in flight", || {
            (backend.calls("sleep") == 1).then_some(())
        });
        gateway.configure(&json!({"backends": {"backend": described(&backend, "new")}}));
        taken_over(&gateway);
        assert!(
            ![before, shared].contains(&own()),
            "the next call finds a new one"
        );
        assert!(is_alive(before), "it still answers");
        assert_eq!(slept.join().unwrap(), "slept");
    });
    ends(before);
    ends(shared);
}

pub(crate) fn subscriptions() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let session = gateway.session("/mcp/backend");
    let uri = json!({"uri": "test://plain"});
    assert!(session.ask("resources/subscribe", uri).is_good());
    let asked = || backend.received("resources/subscribe").len();
    assert_eq!(asked(), 1);
    gateway.configure(&json!({"backends": {"backend": described(&backend, "new")}}));
    taken_over(&gateway);
    until("the new one is asked too", || (asked() == 2).then_some(()));
    assert_eq!(backend.starts(), 2);
}

pub(crate) fn unchanged() {
    let (kept, new) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let breaker =
        json!({"failure_threshold": 1, "reset_timeout": "1h", "tools": {"enabled": false}});
    let dead = json!({"http_url": "http://127.0.0.1:1/mcp", "circuit_breaker": breaker, "retry": {"enabled": false}});
    let backends = json!({"dead": dead, "kept": kept.config()});
    let gateway = Setup::backends(backends.clone()).start();
    let before = pid(&gateway, "kept");
    gateway.invoke("dead", "echo", json!({}));
    until("the breaker opens", || {
        gateway.invoke("dead", "echo", json!({}));
        (gateway.circuit("dead") == "Open").then_some(())
    });
    let session = gateway.session("/mcp/kept");
    let counted = gateway.health("kept")["success_count"].as_u64().unwrap();
    let mut more = backends;
    more["new"] = new.config();
    gateway.configure(&json!({"backends": more}));
    assert_eq!(taken_over(&gateway)["unchanged"], 2);
    assert_eq!(gateway.circuit("dead"), "Open");
    assert_eq!(session.call("whoami", json!({})).said(), before.to_string());
    assert_eq!(gateway.health("kept")["success_count"], counted + 1);
    assert_eq!(
        (kept.starts(), new.starts()),
        (1, 0),
        "nobody needs the new one yet"
    );
}

pub(crate) fn clients_are_told() {
    let (old, new) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let shown = |backends: Value| json!({"meta_mcp": {"enabled": false}, "backends": backends});
    let gateway = Setup::config(shown(json!({"old": old.config()}))).start();
    let session = gateway.session("/mcp");
    assert!(tools(&session).contains(&"old__echo".to_owned()));
    let mut events = session.listen();
    let mut told = || loop {
        let event = events.next().unwrap().unwrap();
        if event.contains(CHANGED) {
            return;
        }
    };
    let both = json!({"old": old.config(), "new": new.config()});
    gateway.configure(&shown(both));
    taken_over(&gateway);
    told();
    assert!(tools(&session).contains(&"new__echo".to_owned()));
    gateway.configure(&shown(json!({"new": new.config()})));
    taken_over(&gateway);
    told();
    assert!(!tools(&session).contains(&"old__echo".to_owned()));
    assert_eq!(
        session.call("new__echo", json!({"message": "hi"})).said(),
        "hi"
    );
}

pub(crate) fn sessions_at_backends() {
    let (first, second) = (StdioBackend::new(&[]), StdioBackend::new(&["--late-tools"]));
    let gone = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"a": first.config(), "b": gone.config()})).start();
    let (stays, ends) = (gateway.session("/mcp/a"), gateway.session("/mcp/b"));
    assert_eq!(tools(&stays).len(), 23);
    let (mut heard, mut closed) = (stays.listen(), ends.listen());
    gateway.configure(&json!({"backends": {"a": {"command": "/no/such/program"}}}));
    taken_over(&gateway);
    assert_eq!(closed.next().unwrap(), None, "the stream ends");
    assert_eq!(status(&gateway, &ends), 404);
    assert_eq!(status(&gateway, &stays), 200);
    gateway.configure(&json!({"backends": {"a": second.config()}}));
    taken_over(&gateway);
    let event = heard.next().unwrap().unwrap();
    assert!(event.contains(CHANGED), "{event}");
    assert_eq!(tools(&stays), Vec::<String>::new());
}

pub(crate) fn keys() {
    let backend = StdioBackend::new(&[]);
    let keyed = |keys: Value| {
        let auth = json!({"enabled": true, "api_keys": keys});
        json!({"auth": auth, "backends": {"backend": backend.config()}})
    };
    let key = |name: &str, admin: bool| json!({"key": name, "name": name, "admin": admin});
    let config = keyed(json!([
        key("boss", true),
        key("old", false),
        key("same", false)
    ]));
    let gateway = Setup::config(config).start();
    let opened = |name: &str| gateway.session_with("/mcp", &[("x-api-key", name)]);
    let (boss, old, same) = (opened("boss"), opened("old"), opened("same"));
    let refused = same.ask("gateway_reload_config", json!({}));
    assert_eq!(refused.code(), -32003, "{refused:?}");
    let mut stream = old.listen();
    let mut kept = same.listen();
    gateway.configure(&keyed(json!([
        key("boss", true),
        key("new", false),
        key("same", false)
    ])));
    assert!(boss.ask("gateway_reload_config", json!({})).is_good());
    assert_eq!(
        stream.next().unwrap(),
        None,
        "what the old key listened to ends"
    );
    assert_eq!(status(&gateway, &old), 401);
    assert_eq!(status(&gateway, &same), 200);
    assert_eq!(status(&gateway, &opened("new")), 200);
    let narrow =
        json!({"key": "same", "name": "same", "backends": ["backend"], "denied_tools": ["echo"]});
    gateway.configure(&keyed(json!([key("boss", true), narrow])));
    assert!(boss.ask("gateway_reload_config", json!({})).is_good());
    assert_eq!(
        kept.next().unwrap(),
        None,
        "whose rights are others opens a session anew"
    );
    assert_eq!(status(&gateway, &same), 404);
    let invoke = json!({"server": "backend", "tool": "echo"});
    assert_eq!(opened("same").ask("gateway_invoke", invoke).code(), -32003);
    assert_eq!(boss.ask("ping", json!({})).result(), json!({}));
}
