//! Sessions and children of their own, where there are not enough for all clients that could be asked.

use serde_json::{Value, json};

use crate::{
    asked::{Asking, askable, elicit, said},
    modern_backend::{answer, modern},
    own_session::{converse, running},
    parked::{again, ask},
    support::{Gateway, Session, Setup, Way},
};

fn config(backend: &Asking, most: usize) -> Value {
    let mut config = backend.config();
    config["max_client_sessions"] = json!(most);
    json!({"backend": config})
}

/// Whether the client has no line of its own: what it is asked is declined.
fn cannot_be_asked(client: &Session) {
    let answer = client.call("ask", elicit(json!(0), "?"));
    assert!(answer.said().contains("-32601"), "{}", answer.said());
}

pub(crate) fn one_caller_floods() {
    for backend in Asking::legacy() {
        let keys = json!([{"key": "flooder", "name": "flooder"}, {"key": "calm", "name": "calm"}]);
        let auth = json!({"enabled": true, "api_keys": keys});
        let gateway = Setup::config(json!({"auth": auth, "backends": config(&backend, 4)})).start();
        let open = |key: &str| {
            let key = format!("Bearer {key}");
            let headers = [("authorization", &*key)];
            Session::open_as(gateway.address(), "/mcp/backend", &headers, askable())
        };
        let flood: Vec<_> = (0..6).map(|_| open("flooder")).collect();
        let (served, refused) = flood.split_at(3);
        let mut asked: Vec<_> = served
            .iter()
            .map(|client| {
                let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
                let question = events.json();
                (client, events, question)
            })
            .collect();
        refused.iter().for_each(cannot_be_asked);
        gateway.logged(&["max_client_sessions", "of this caller", "flooder"]);
        converse(&open("calm"));
        for (client, events, question) in &mut asked {
            let response = json!({"action": "decline"});
            client.answer(question, response.clone());
            assert_eq!(said(&events.json())["result"], response, "it kept its line");
        }
    }
}

/// Asks a modern client, which answers at once.
fn converse_in_rounds(gateway: &Gateway) {
    let (params, asked) = ask(gateway, Way::Direct, "?");
    let params = again(params, &asked, &json!({"action": "decline"}));
    let done = answer(gateway, &modern("/mcp/backend", "tools/call", params));
    assert_eq!(said(&done)["result"]["action"], "decline");
}

pub(crate) fn one_that_rests_makes_room() {
    for backend in Asking::legacy() {
        let gateway = Setup::backends(config(&backend, 1)).start();
        converse_in_rounds(&gateway);
        let client = gateway.client("/mcp/backend", askable());
        converse(&client);
        assert_eq!(
            backend.received("initialize").len(),
            3,
            "one that all share, and two that follow each other"
        );
        if let Asking::Stdio(child) = &backend {
            running(child, 2);
        }
    }
}

pub(crate) fn one_whose_call_waits_makes_none() {
    for backend in Asking::legacy() {
        let gateway = Setup::backends(config(&backend, 1)).start();
        let (params, asked) = ask(&gateway, Way::Direct, "?");
        cannot_be_asked(&gateway.client("/mcp/backend", askable()));
        let response = json!({"action": "decline"});
        let params = again(params, &asked, &response);
        let done = answer(&gateway, &modern("/mcp/backend", "tools/call", params));
        assert_eq!(said(&done)["result"], response);
    }
}
