//! Messages of HTTP backends that are longer than the gateway takes: whose call fails, and where a loss is told.

use serde_json::{Value, json};

use crate::support::{Begins, Era, EraBackend, Gateway, Setup, SseBackend};

const LOST: &str = "A message of a backend was lost";
const UPDATED: &str = "notifications/resources/updated";

/// A gateway that takes no long messages of this backend.
fn before(mut config: Value) -> Gateway {
    config["max_message_size"] = json!(20_000);
    Setup::backends(json!({"backend": config})).start()
}

/// How many lines of the log tell of a loss.
fn told(gateway: &Gateway) -> usize {
    let is_it = |line: &&String| line.contains(LOST);
    gateway.log().iter().filter(is_it).count()
}

pub(crate) fn of_the_first_revision() {
    let backend = SseBackend::start(Begins::Well);
    let gateway = before(backend.config());
    let session = gateway.session("/mcp/backend");
    let said = session.call("long", json!({})).said();
    assert!(said.contains("larger than the 20000"), "{said}");
    assert!(said.contains("max_message_size"), "{said}");
    assert_eq!(told(&gateway), 0, "its call was told");
    for _ in 0..3 {
        let said = session.call("long_notice", json!({})).said();
        assert_eq!(said, "after the notice");
    }
    gateway.logged(&[LOST, "backend", "max_message_size"]);
    assert_eq!(told(&gateway), 1, "not again and again");
    assert_eq!(session.call("echo", json!({})).said(), "echo");
    assert_eq!(backend.received("initialize").len(), 2, "the stream stayed");
}

pub(crate) fn outside_of_calls() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = before(backend.config());
    let client = gateway.session("/mcp/backend");
    assert!(client.call("echo", json!({})).is_good());
    let mut events = client.listen();
    backend.listeners(1);
    let subscribed = client.ask("resources/subscribe", json!({"uri": "a:b"}));
    assert!(subscribed.is_good(), "{subscribed:?}");
    backend.tell(UPDATED, json!({"uri": "a:b", "long": "x".repeat(100_000)}));
    gateway.logged(&[LOST, "backend", "max_message_size"]);
    backend.tell(UPDATED, json!({"uri": "a:b"}));
    let heard = events.json();
    assert_eq!(heard["params"], json!({"uri": "a:b"}), "{heard}");
}
