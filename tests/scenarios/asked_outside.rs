//! Questions that backends ask outside of calls: who is asked, for how long, and what becomes of those that nobody answers.

use std::thread;

use serde_json::json;

use crate::{
    asked::{askable, is_withdrawn},
    modern_backend::{answer, modern},
    own_session::converse,
    parked::{again, ask},
    support::{
        Era, EraBackend, Events, Gateway, Session, Setup, StdioBackend, Way, answer_of, until,
    },
};

const ROOTS: &str = "roots/list";
const CANCELLED: &str = "notifications/cancelled";

/// A client with a session of its own at this backend, its stream of what belongs to no call, and that session.
fn listening(backend: &EraBackend, timeout: &str) -> (Gateway, Session, Events, String) {
    let mut config = backend.config();
    config["timeout"] = json!(timeout);
    let gateway = Setup::backends(json!({"backend": config})).start();
    let client = gateway.client("/mcp/backend", askable());
    converse(&client);
    let events = client.listen();
    let own = backend.listeners(2).pop().unwrap();
    (gateway, client, events, own)
}

pub(crate) fn and_not_answered_in_time() {
    let backend = EraBackend::start(Era::Legacy);
    let (_gateway, client, mut events, own) = listening(&backend, "1s");
    let declined = answer_of(&backend.ask(&own, json!("r"), ROOTS));
    let why = declined["error"]["message"].as_str().unwrap_or_default();
    assert!(why.contains("not answered in time"), "{declined}");
    let question = events.json();
    assert_eq!(question["method"], ROOTS);
    is_withdrawn(&events.json(), &question);
    // Too late, and nobody minds.
    client.answer(&question, json!({"roots": []}));
}

pub(crate) fn more_than_may_be_open() {
    let backend = EraBackend::start(Era::Legacy);
    let (_gateway, _client, mut events, own) = listening(&backend, "30s");
    let mut told = Vec::new();
    let mut answers = Vec::new();
    // One after the other: what is asked faster than it is taken is declined at once.
    for n in 0..=64 {
        answers.push(backend.ask(&own, json!(n), ROOTS));
        told.push(events.json());
    }
    told.push(events.json());
    let declined = answer_of(&answers[0]);
    let why = declined["error"]["message"].as_str().unwrap_or_default();
    assert!(why.contains("64 newer questions"), "{declined}");
    let cancelled = told
        .iter()
        .position(|it| it["method"] == CANCELLED)
        .unwrap();
    let cancelled = told.remove(cancelled);
    assert!(told.iter().all(|it| it["method"] == ROOTS), "{told:?}");
    is_withdrawn(&cancelled, &told[0]);
}

pub(crate) fn by_a_child_that_dies() {
    let backend = StdioBackend::new(&["--asks"]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let client = gateway.client("/mcp/backend", askable());
    let mut outside = client.listen();
    assert_eq!(client.call("ask_after", json!({})).said(), "answered first");
    let question = outside.json();
    assert_eq!(question["method"], ROOTS);
    assert!(!client.call("exit_now", json!({})).is_good());
    is_withdrawn(&outside.json(), &question);
}

pub(crate) fn during_a_call_of_a_modern_client() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let params = Way::Direct.params("hang", json!({}));
    let post = modern("/mcp/backend", "tools/call", params.clone());
    let asked = thread::scope(|scope| {
        let calling = scope.spawn(|| answer(&gateway, &post));
        until("the call has arrived", || {
            (backend.received("tools/call").len() == 1).then_some(())
        });
        let lent = backend.listeners(2).pop().unwrap();
        let answers = backend.ask(&lent, json!("r"), ROOTS);
        (calling.join().unwrap()["result"].take(), answers)
    });
    let (asked, answers) = asked;
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let roots = json!({"roots": [{"uri": "file:///home/anna"}]});
    let params = again(params, &asked, &roots);
    let (address, post) = (
        gateway.address(),
        modern("/mcp/backend", "tools/call", params),
    );
    // The call goes on until the gateway ends.
    thread::spawn(move || post.send(address).is_ok());
    assert_eq!(answer_of(&answers)["result"], roots);
}

pub(crate) fn of_a_modern_client_that_calls_nothing() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let (params, asked) = ask(&gateway, Way::Direct, "?");
    let params = again(params, &asked, &json!({"action": "decline"}));
    answer(&gateway, &modern("/mcp/backend", "tools/call", params));
    let lent = backend.listeners(2).pop().unwrap();
    let declined = answer_of(&backend.ask(&lent, json!("r"), ROOTS));
    let why = declined["error"]["message"].as_str().unwrap_or_default();
    assert!(why.contains("outside of a call"), "{declined}");
}
