//! What was listed by a backend that does not answer for it any more.

use serde_json::{Value, json};

use crate::support::{Gateway, HttpBackend, Session, Setup, StdioBackend, until};

const KEY: &str = "io.mcp-gateway/stale";
/// Each list, its member, and what names the entry that is looked at.
const LISTS: [(&str, &str); 3] = [
    ("tools/list", "tools"),
    ("resources/list", "resources"),
    ("prompts/list", "prompts"),
];

fn config(backend: Value, grace: &str) -> Value {
    let meta = json!({"enabled": false, "cache_ttl": "100ms", "stale_grace": grace});
    json!({"meta_mcp": meta, "backends": {"backend": backend}})
}

fn started(backend: Value) -> Gateway {
    Setup::config(config(backend, "10m")).start()
}

fn entries(session: &Session, (method, member): (&str, &str)) -> Vec<Value> {
    let result = session.ask(method, json!({})).result();
    result[member].as_array().unwrap().clone()
}

fn is_marked(entry: &Value) -> bool {
    let mark = &entry["_meta"][KEY];
    mark["since_ms"].is_u64() && !mark["reason"].as_str().unwrap_or_default().is_empty()
}

/// Waits until every entry of the list is marked, or none, and there are some.
fn until_marked(session: &Session, list: (&str, &str), marked: bool) {
    until("what is listed is marked, or not", || {
        let entries = entries(session, list);
        let is_so = !entries.is_empty() && entries.iter().all(|entry| is_marked(entry) == marked);
        is_so.then_some(())
    });
}

pub(crate) fn dead() {
    let mut server = HttpBackend::start();
    let mut backend = server.config();
    backend["circuit_breaker"] =
        json!({"success_threshold": 1, "reset_timeout": "200ms", "max_reset_timeout": "200ms"});
    let gateway = started(backend.clone());
    let session = gateway.session("/mcp");
    for list in LISTS {
        assert!(!entries(&session, list).iter().any(is_marked));
    }
    server.close();
    for list in LISTS {
        until_marked(&session, list, true);
    }
    let result = session.ask("tools/list", json!({})).result();
    assert_eq!(result["_meta"]["missing"][0]["server"], "backend");
    assert_eq!(result["_meta"]["missing"][0]["stale"], true);
    let mut events = session.listen();
    gateway.configure(&config(backend, "1s"));
    assert!(gateway.reload().is_good());
    let mut told = |what: &str| while !events.next().unwrap().unwrap().contains(what) {};
    told("list_changed");
    for list in LISTS {
        until("what it listed is gone", || {
            entries(&session, list).is_empty().then_some(())
        });
    }
    server.reopen();
    told("list_changed");
    for list in LISTS {
        until_marked(&session, list, false);
    }
}

pub(crate) fn hung() {
    let backend = StdioBackend::new(&["--hang-later-lists"]);
    let gateway = started(backend.config());
    let session = gateway.session("/mcp");
    let tools = LISTS[0];
    assert!(!entries(&session, tools).is_empty());
    until_marked(&session, tools, true);
    for _ in 0..5 {
        assert!(entries(&session, tools).iter().all(is_marked));
    }
    assert!(session.call("backend__echo", json!({})).is_good());
}

pub(crate) fn not_ready() {
    let backend = StdioBackend::new(&["--unready-second-life"]);
    let gateway = started(backend.config());
    let session = gateway.session("/mcp");
    let resources = LISTS[1];
    let before = entries(&session, resources);
    assert!(!session.call("backend__exit_now", json!({})).is_good());
    assert!(session.call("backend__echo", json!({})).is_good());
    until_marked(&session, resources, true);
    assert_eq!(entries(&session, resources)[0]["uri"], before[0]["uri"]);
    let read = session.ask("resources/read", json!({"uri": before[0]["uri"]}));
    assert!(read.text.contains("the memo"), "{}", read.text);
}
