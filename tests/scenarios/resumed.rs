//! Streams that broke, and clients that come back with the id of the last event that they have seen.

use serde_json::{Value, json};

use crate::{
    asked::{Asking, askable, elicit, said},
    support::{Era, EraBackend, Events, Session, Setup, Streaming, Way},
};

const PROMPTS: &str = "notifications/prompts/list_changed";

/// The answer to a GET that goes on after this event.
fn back(client: &Session, gateway: &crate::support::Gateway, id: &str) -> Streaming {
    let request = client.request("GET").header("last-event-id", id);
    request.open(gateway.address()).unwrap()
}

pub(crate) fn what_belongs_to_no_call() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let client = gateway.client("/mcp/backend", json!({}));
    let mut events = client.listen();
    backend.listeners(1);
    let tell = |number: usize| backend.tell(PROMPTS, json!({"number": number}));
    let next = |events: &mut Events| loop {
        let (id, event) = events.identified();
        if event["method"] == PROMPTS && event["params"]["number"].is_u64() {
            return (id, event["params"]["number"].as_u64().unwrap());
        }
    };
    tell(1);
    tell(2);
    let (first, number) = next(&mut events);
    assert_eq!((number, next(&mut events).1), (1, 2));
    drop(events);
    tell(3);
    let mut again = Events::of(back(&client, &gateway, &first));
    assert_eq!((next(&mut again).1, next(&mut again).1), (2, 3));

    // The id of another session names nothing: a stream begins, on which nothing comes that was not said to this one.
    let other = gateway.client("/mcp/backend", json!({}));
    let mut fresh = Events::of(back(&other, &gateway, &first));
    tell(4);
    assert_eq!(next(&mut fresh).1, 4);
}

pub(crate) fn the_stream_of_a_call() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", askable());
        let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
        let (id, question) = events.identified();
        drop(events);
        // It was gone when the answer came, which has its own way.
        client.answer(&question, json!({"action": "decline"}));
        let mut again = Events::of(back(&client, &gateway, &id));
        let (last, answer) = again.identified();
        assert_eq!(said(&answer)["result"]["action"], "decline");
        assert_eq!(again.next().unwrap(), None, "the stream is over");
        // Its last event may have been lost with the connection.
        let mut once_more = Events::of(back(&client, &gateway, &id));
        assert_eq!(once_more.identified(), (last, answer));
    }
}

pub(crate) fn a_call_whose_stream_is_not_kept() {
    let [_, backend] = Asking::legacy();
    let gateway = backend.gateway();
    let client = gateway.client("/mcp/backend", askable());
    let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
    let (id, question) = events.identified();
    let other = gateway.client("/mcp/backend", askable());
    let refused = back(&other, &gateway, &id).finish().unwrap();
    let body: Value = serde_json::from_str(&refused.text()).unwrap();
    assert_eq!(
        (refused.status, &body["error"]["code"]),
        (400, &json!(-32600))
    );
    let sentence = body["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("not kept any more"), "{sentence}");
    client.answer(&question, json!({"action": "accept"}));
    assert_eq!(said(&events.json())["result"]["action"], "accept");
}
