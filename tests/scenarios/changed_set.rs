//! What a modern backend is asked to tell of changes while it tells: nothing is missed meanwhile, and nothing is told twice.

use serde_json::{Value, json};

use crate::{
    heard::{TOOLS, UPDATED, acknowledged, gateway, next, subscribe, subscribed},
    support::{Era, EraBackend, Events, Outside, Session, Setup, StdioBackend, until},
};

/// How often each of these was told.
fn numbers(events: &mut Events, count: usize) -> Vec<u64> {
    let number = |()| next(events, &[UPDATED])["params"]["n"].as_u64().unwrap();
    let mut numbers: Vec<_> = vec![(); count].into_iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

pub(crate) fn over_http() {
    let backend = EraBackend::start(Era::Modern);
    let gateway = gateway(&backend);
    let client = gateway.client("/mcp/backend", json!({}));
    subscribe(&client, "subscribe", "x:one");
    subscribed(&backend, &["x:one"]);
    let mut events = client.listen();
    let tell = |n: u64| backend.tell(UPDATED, json!({"uri": "x:one", "n": n}));
    backend.outside(Outside::Slow);
    let asked = backend.received("subscriptions/listen").len();
    let waiting = std::thread::spawn(move || subscribe(&client, "subscribe", "x:two"));
    until("the next is asked for", || {
        (backend.received("subscriptions/listen").len() > asked).then_some(())
    });
    (1..=3).for_each(tell);
    assert_eq!(numbers(&mut events, 3), [1, 2, 3], "while the next opens");
    backend.outside(Outside::Open);
    until("the next is open", || {
        let last = backend.received("subscriptions/listen").pop()?;
        let last: Value = serde_json::from_str(&last.body).unwrap();
        let id = last["id"].to_string();
        backend.subscriptions().contains(&id).then_some(())
    });
    (4..=6).for_each(tell);
    waiting.join().unwrap();
    subscribed(&backend, &["x:one", "x:two"]);
    backend.tell(UPDATED, json!({"uri": "x:two", "n": 7}));
    assert_eq!(numbers(&mut events, 4), [4, 5, 6, 7], "each of them once");
}

pub(crate) fn that_is_refused() {
    let backend = EraBackend::start(Era::Modern);
    let gateway = gateway(&backend);
    let client = gateway.client("/mcp/backend", json!({}));
    subscribe(&client, "subscribe", "x:one");
    subscribed(&backend, &["x:one"]);
    let open = backend.subscriptions();
    backend.outside(Outside::Refused);
    let refused = client.ask("resources/subscribe", json!({"uri": "x:two"}));
    assert_eq!(refused.code(), -32602, "{refused:?}");
    let mut events = client.listen();
    backend.tell(UPDATED, json!({"uri": "x:one", "n": 1}));
    assert_eq!(numbers(&mut events, 1), [1]);
    assert_eq!(backend.subscriptions(), open, "the one that was open stays");
}

/// One that does not answer holds up nothing but itself, and all have one bound.
pub(crate) fn several_at_an_older_backend() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["timeout"] = json!("1s");
    let gateway = Setup::backends(json!({"backend": config})).start();
    let uris = ["hang:/1", "hang:/2", "x:good", "hang:/3"];
    let wanted = json!({"resourceSubscriptions": uris});
    let listening = std::thread::spawn({
        let address = gateway.address();
        move || acknowledged(address, "/mcp/backend", wanted)
    });
    until("all are asked for, though none has an answer", || {
        (backend.received("resources/subscribe").len() == 4).then_some(())
    });
    let (_events, agreed) = listening.join().unwrap();
    assert_eq!(agreed["resourceSubscriptions"], json!(["x:good"]));
}

/// The ids of the subscriptions in the order in which they were opened (true) and cancelled.
fn of_subscriptions(backend: &StdioBackend) -> Vec<(bool, Value)> {
    let lines = backend.lines().into_iter();
    let read = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    read.filter_map(|line| match line["method"].as_str()? {
        "subscriptions/listen" => Some((true, line["id"].clone())),
        "notifications/cancelled" => Some((false, line["params"]["requestId"].clone())),
        _ => None,
    })
    .collect()
}

pub(crate) fn on_standard_streams() {
    let backend = StdioBackend::new(&["--modern"]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let client = gateway.client("/mcp/backend", json!({}));
    assert!(client.call("echo", json!({})).is_good());
    let heard = client.listen();
    let busy: Session = gateway.client("/mcp/backend", json!({}));
    let log = std::thread::spawn(move || {
        for _ in 0..20 {
            assert!(busy.call("log", json!({})).is_good());
        }
    });
    for uri in ["x:one", "x:two", "x:three"] {
        subscribe(&client, "subscribe", uri);
    }
    log.join().unwrap();
    let order = until("the earlier ones are cancelled", || {
        let order = of_subscriptions(&backend);
        (order.len() == 7).then_some(order)
    });
    let ids: Vec<_> = order.iter().filter(|it| it.0).map(|it| &it.1).collect();
    let mut expected = vec![(true, ids[0].clone())];
    for pair in ids.windows(2) {
        expected.extend([(true, pair[1].clone()), (false, pair[0].clone())]);
    }
    assert_eq!(order, expected, "the next is open first");
    client.end();
    let told = heard.rest().filter(|it| it["method"] == TOOLS).count();
    assert_eq!(told, 20);
}
