//! What backends say outside of calls, on the stream of an older session or in a subscription of a modern one: who hears it,
//! and what happens when that stream breaks, is refused or never opens.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    asked::{Asking, askable},
    support::{
        Era, EraBackend, Events, Gateway, Outside, Request, Session, Setup, StdioBackend, Way,
        message, modern_offer::REVISION, until,
    },
};

pub(crate) const UPDATED: &str = "notifications/resources/updated";
pub(crate) const TOOLS: &str = "notifications/tools/list_changed";
const PROMPTS: &str = "notifications/prompts/list_changed";
pub(crate) const RESOURCES: &str = "notifications/resources/list_changed";

pub(crate) fn gateway(backend: &EraBackend) -> Gateway {
    Setup::backends(json!({"backend": backend.config()})).start()
}

/// The next message of any of these methods.
pub(crate) fn next(events: &mut Events, methods: &[&str]) -> Value {
    loop {
        let event = events.json();
        if methods.iter().any(|method| event["method"] == *method) {
            return event;
        }
    }
}

/// Waits until the one stream that is open is the one that was asked for last, and that asks for all of `uris` and no others.
pub(crate) fn subscribed(backend: &EraBackend, uris: &[&str]) {
    until(&format!("{uris:?} are subscribed to"), || {
        let last = backend.received("subscriptions/listen").pop()?;
        let asked: Value = serde_json::from_str(&last.body).unwrap();
        let wanted = &asked["params"]["notifications"]["resourceSubscriptions"];
        let is_it = *wanted == json!(uris) && backend.subscriptions() == [asked["id"].to_string()];
        is_it.then_some(())
    });
}

pub(crate) fn subscribe(client: &Session, method: &str, uri: &str) {
    let answer = client.ask(&format!("resources/{method}"), json!({"uri": uri}));
    assert!(answer.is_good(), "{answer:?}");
}

/// A subscription of a modern client to one backend.
fn listen(gateway: &Gateway, notifications: Value) -> Events {
    listen_at("/mcp/backend", gateway, notifications)
}

/// A subscription of a modern client.
pub(crate) fn listen_at(path: &str, gateway: &Gateway, notifications: Value) -> Events {
    acknowledged(gateway.address(), path, notifications).0
}

/// The same, and what is acknowledged of it.
pub(crate) fn acknowledged(
    address: SocketAddr,
    path: &str,
    notifications: Value,
) -> (Events, Value) {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": REVISION,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({"notifications": notifications, "_meta": meta});
    let post = Request::post(path, message(json!(7), "subscriptions/listen", &params))
        .header("mcp-protocol-version", REVISION)
        .header("mcp-method", "subscriptions/listen");
    let mut events = Events::of(post.open(address).unwrap());
    let told = next(&mut events, &["notifications/subscriptions/acknowledged"]);
    (events, told["params"]["notifications"].clone())
}

pub(crate) fn by_the_client_whose_session_it_is() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = gateway(&backend);
    let anna = gateway.client("/mcp/backend", askable());
    let bert = gateway.client("/mcp/backend", json!({}));
    for client in [&anna, &bert] {
        assert!(client.call("echo", json!({})).is_good());
    }
    let (mut by_anna, mut by_bert) = (anna.listen(), bert.listen());
    let sessions = backend.listeners(2);
    let (shared, own) = (&sessions[0], &sessions[1]);
    backend.tell_one(own, UPDATED, json!({"uri": "x:unwanted"}));
    backend.tell_one(own, PROMPTS, json!({}));
    let all = [UPDATED, PROMPTS, RESOURCES];
    assert_eq!(next(&mut by_anna, &all)["method"], PROMPTS);
    backend.tell_one(shared, RESOURCES, json!({}));
    assert_eq!(next(&mut by_bert, &all)["method"], RESOURCES);
}

/// Before the answer that may be the reason, and on no other stream.
pub(crate) fn during_a_call() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", askable());
        assert!(client.call("echo", json!({"message": "warm"})).is_good());
        let listening = client.listen();
        let before = backend.received("tools/list").len();
        let mut events = client.stream(&Way::Direct.call(7, "reveal", json!({})));
        assert_eq!(events.json()["method"], TOOLS);
        assert_eq!(events.json()["id"], 7);
        until("the list is read again", || {
            (backend.received("tools/list").len() > before).then_some(())
        });
        client.end();
        let told: Vec<_> = listening
            .rest()
            .filter(|it| it["method"] == TOOLS)
            .collect();
        assert!(told.is_empty(), "{told:?}");
    }
}

pub(crate) fn by_those_who_have_subscribed() {
    for era in [Era::Legacy, Era::Modern] {
        let backend = EraBackend::start(era);
        let gateway = gateway(&backend);
        let [anna, bert] = [(); 2].map(|()| gateway.client("/mcp/backend", json!({})));
        subscribe(&anna, "subscribe", "x:one");
        subscribe(&anna, "subscribe", "x:both");
        subscribe(&bert, "subscribe", "x:both");
        subscribe(&bert, "subscribe", "x:two");
        let mut streams = [anna.listen(), bert.listen()];
        if era == Era::Modern {
            subscribed(&backend, &["x:both", "x:one", "x:two"]);
        } else {
            backend.listeners(1);
        }
        let tell_all = || {
            for uri in ["x:one", "x:two", "x:both", "x:nobody's"] {
                backend.tell(UPDATED, json!({"uri": uri}));
            }
        };
        let mut hears = |who: usize, uris: [&str; 2]| {
            for uri in uris {
                let told = next(&mut streams[who], &[UPDATED]);
                assert_eq!(told["params"], json!({"uri": uri}), "{era:?}");
            }
        };
        tell_all();
        hears(0, ["x:one", "x:both"]);
        hears(1, ["x:two", "x:both"]);
        subscribe(&bert, "unsubscribe", "x:both");
        subscribe(&bert, "unsubscribe", "x:two");
        subscribe(&bert, "subscribe", "x:two");
        subscribe(&bert, "subscribe", "x:three");
        if era == Era::Modern {
            subscribed(&backend, &["x:both", "x:one", "x:three", "x:two"]);
        }
        tell_all();
        backend.tell(UPDATED, json!({"uri": "x:three"}));
        hears(0, ["x:one", "x:both"]);
        hears(1, ["x:two", "x:three"]);
        let taken_back = backend.received("resources/unsubscribe");
        assert_eq!(
            taken_back.len(),
            usize::from(era == Era::Legacy),
            "{taken_back:?}"
        );
    }
}

pub(crate) fn from_the_backend_that_has_it() {
    let (old, new) = (
        EraBackend::start(Era::Legacy),
        EraBackend::start(Era::Modern),
    );
    let gateway = Setup::backends(json!({"old": old.config(), "new": new.config()})).start();
    let client = gateway.client("/mcp", json!({}));
    for uri in ["legacy:///one", "modern:///one"] {
        subscribe(&client, "subscribe", uri);
    }
    let asked = old.received("resources/subscribe");
    assert_eq!(asked.len(), 1);
    assert!(asked[0].body.contains("legacy:///one"));
    subscribed(&new, &["modern:///one"]);
    let refused = client.ask("resources/subscribe", json!({"uri": "nowhere:/x"}));
    assert_eq!(refused.code(), -32002, "{refused:?}");
    let mut events = client.listen();
    old.listeners(1);
    for (backend, uri) in [(&old, "legacy:///one"), (&new, "modern:///one")] {
        backend.tell(UPDATED, json!({"uri": uri}));
        assert_eq!(next(&mut events, &[UPDATED])["params"]["uri"], uri);
    }
}

pub(crate) fn by_modern_clients_as_they_filter() {
    for era in [Era::Legacy, Era::Modern] {
        let backend = EraBackend::start(era);
        let gateway = gateway(&backend);
        let mut lists = listen(&gateway, json!({"toolsListChanged": true}));
        let mut resources = listen(&gateway, json!({"resourceSubscriptions": ["x:one"]}));
        if era == Era::Modern {
            subscribed(&backend, &["x:one"]);
        } else {
            backend.listeners(1);
        }
        let all = [UPDATED, TOOLS, PROMPTS, RESOURCES];
        backend.tell(RESOURCES, json!({}));
        backend.tell(UPDATED, json!({"uri": "x:two"}));
        backend.tell(UPDATED, json!({"uri": "x:one", "_meta": {"kept": 1}}));
        backend.tell(TOOLS, json!({}));
        let told = next(&mut lists, &all);
        assert_eq!(told["method"], TOOLS);
        let updated = next(&mut resources, &all);
        assert_eq!(updated["params"]["uri"], "x:one");
        assert_eq!(updated["params"]["_meta"]["kept"], 1);
        for event in [told, updated] {
            let meta = &event["params"]["_meta"];
            assert_eq!(meta["io.modelcontextprotocol/subscriptionId"], 7, "{event}");
        }
    }
}

pub(crate) fn again_after_the_stream_broke() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = gateway(&backend);
    let client = gateway.client("/mcp/backend", json!({}));
    let mut events = client.listen();
    backend.listeners(1);
    backend.tell(PROMPTS, json!({}));
    assert_eq!(next(&mut events, &[PROMPTS])["method"], PROMPTS);
    backend.end_streams();
    until("the stream is opened again", || {
        (backend.requests("GET").len() == 2).then_some(())
    });
    backend.listeners(1);
    let again = &backend.requests("GET")[1];
    assert_eq!(again.header("last-event-id"), Some("said-1"));
    assert!(again.header("mcp-session-id").is_some());
    backend.tell(RESOURCES, json!({}));
    assert_eq!(
        next(&mut events, &[PROMPTS, RESOURCES])["method"],
        RESOURCES
    );
}

/// What was said while nobody listened is lost, so that lists may be other ones.
pub(crate) fn again_after_the_subscription_broke() {
    let backend = EraBackend::start(Era::Modern);
    let gateway = gateway(&backend);
    let client = gateway.client("/mcp/backend", json!({}));
    let mut events = client.listen();
    subscribe(&client, "subscribe", "x:one");
    subscribed(&backend, &["x:one"]);
    backend.end_streams();
    let mut told = [(); 2].map(|()| next(&mut events, &[TOOLS, RESOURCES])["method"].clone());
    told.sort_by_key(Value::to_string);
    assert_eq!(told, [RESOURCES, TOOLS]);
    subscribed(&backend, &["x:one"]);
    backend.tell(UPDATED, json!({"uri": "x:one"}));
    assert_eq!(next(&mut events, &[UPDATED])["params"]["uri"], "x:one");
}

/// The child that comes after one that has ended knows nothing of who has subscribed.
pub(crate) fn again_after_a_restart() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let session = gateway.session("/mcp/backend");
    subscribe(&session, "subscribe", "test://plain");
    let asked = || backend.received("resources/subscribe").len();
    assert_eq!(asked(), 1);
    assert!(!gateway.invoke("backend", "exit_now", json!({})).is_good());
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    until("the new child is asked too", || {
        (asked() == 2).then_some(())
    });
    assert_eq!(backend.starts(), 2);
}

pub(crate) fn where_there_is_no_stream() {
    let backend = EraBackend::start(Era::Legacy);
    backend.outside(Outside::Refused);
    let gateway = gateway(&backend);
    let client = gateway.client("/mcp/backend", askable());
    for _ in 0..3 {
        assert!(client.call("echo", json!({})).is_good());
    }
    subscribe(&client, "subscribe", "x:one");
    until("both sessions have asked once", || {
        (backend.requests("GET").len() == 2).then_some(())
    });
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    assert_eq!(backend.requests("GET").len(), 2);
}

pub(crate) fn where_the_stream_never_opens() {
    for era in [Era::Legacy, Era::Modern] {
        let backend = EraBackend::start(era);
        backend.outside(Outside::Mute);
        let gateway = gateway(&backend);
        let client = gateway.client("/mcp/backend", askable());
        assert!(client.call("echo", json!({})).is_good());
        subscribe(&client, "subscribe", "x:one");
        client.end();
        let others = gateway.client("/mcp", json!({}));
        assert!(others.ask("tools/list", json!({})).is_good());
        assert_eq!(gateway.health("backend")["failure_count"], 0);
    }
}
