//! Backends that ask their clients during a call: whom they reach, what comes back, and whose time it is.

use std::{sync::mpsc, thread};

use serde_json::{Value, json};

use crate::support::{
    Era, EraBackend, Events, Gateway, PATIENCE, Session, Setup, StdioBackend, Way, until,
};

/// A backend that asks, over HTTP or on its standard streams.
pub(crate) enum Asking {
    Http(EraBackend),
    Stdio(StdioBackend),
}

/// A client, the stream of a call that asks it, and what it is asked.
fn asked(gateway: &Gateway) -> (Session, Events, Value) {
    let client = gateway.client("/mcp/backend", askable());
    let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
    let question = events.json();
    (client, events, question)
}

impl Asking {
    /// One of older revisions for each transport.
    pub(crate) fn legacy() -> [Self; 2] {
        [
            Self::Http(EraBackend::start(Era::Legacy)),
            Self::Stdio(StdioBackend::new(&["--asks"])),
        ]
    }

    /// One of revision 2026-07-28 for each transport.
    pub(crate) fn modern() -> [Self; 2] {
        [
            Self::Http(EraBackend::start(Era::Modern)),
            Self::Stdio(StdioBackend::new(&["--modern"])),
        ]
    }

    pub(crate) fn config(&self) -> Value {
        match self {
            Self::Http(backend) => backend.config(),
            Self::Stdio(backend) => backend.config(),
        }
    }

    /// The bodies of this method, as they arrived.
    pub(crate) fn received(&self, method: &str) -> Vec<String> {
        match self {
            Self::Http(backend) => {
                let arrived = backend.received(method).into_iter();
                arrived.map(|arrived| arrived.body).collect()
            }
            Self::Stdio(backend) => backend.received(method),
        }
    }

    /// Everything that arrived.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            Self::Http(backend) => {
                let arrived = backend.arrived().into_iter();
                arrived.map(|arrived| arrived.body).collect()
            }
            Self::Stdio(backend) => backend.lines(),
        }
    }

    pub(crate) fn gateway(&self) -> Gateway {
        Setup::backends(json!({"backend": self.config()})).start()
    }
}

/// A client that can be asked for all there is.
pub(crate) fn askable() -> Value {
    json!({"elicitation": {"form": {}}, "sampling": {}, "roots": {"listChanged": true}})
}

/// The arguments of `ask` for an elicitation.
pub(crate) fn elicit(id: Value, message: &str) -> Value {
    let params =
        json!({"message": message, "requestedSchema": {"type": "object", "properties": {}}});
    json!({"id": id, "method": "elicitation/create", "params": params})
}

/// What a tool said, as JSON.
pub(crate) fn said(answer: &Value) -> Value {
    let text = &answer["result"]["content"][0]["text"];
    let text = text.as_str().unwrap_or_else(|| panic!("{answer}"));
    serde_json::from_str(text).unwrap_or_else(|_| panic!("{answer}"))
}

fn accept(message: &str) -> Value {
    json!({"action": "accept", "content": {"said": message}})
}

pub(crate) fn exactly_the_client_whose_call_it_is() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        for way in Way::ALL {
            let ask = |message: &str| -> (Session, Events, Value) {
                let client = gateway.client(way.path(), askable());
                let call = way.call(7, "ask", elicit(json!(0), message));
                let mut events = client.stream(&call);
                let question = events.json();
                assert_eq!(question["method"], "elicitation/create", "{way:?}");
                assert_eq!(question["params"]["message"], message, "{way:?}");
                (client, events, question)
            };
            let mut clients = [ask("anna"), ask("bert")];
            clients.reverse();
            for (client, events, question) in &mut clients {
                let name = question["params"]["message"].as_str().unwrap();
                client.answer(question, accept(name));
                let answer = events.json();
                assert_eq!(answer["id"], 7);
                let heard = said(&answer);
                assert_eq!(heard["id"], 0, "under the backend's own id");
                assert_eq!(heard["result"], accept(name), "{way:?}");
            }
        }
    }
}

pub(crate) fn the_client_refuses() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", askable());
        let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!("a b"), "?")));
        let question = events.json();
        let refusal = json!({"code": -1, "message": "not today", "data": {"kept": [1]}});
        client.reply(&json!({"jsonrpc": "2.0", "id": question["id"], "error": refusal}));
        let heard = said(&events.json());
        assert_eq!((&heard["id"], &heard["error"]), (&json!("a b"), &refusal));
    }
}

pub(crate) fn two_backends_with_one_id() {
    let (one, two) = (
        StdioBackend::new(&["--asks"]),
        StdioBackend::new(&["--asks"]),
    );
    let gateway = Setup::backends(json!({"one": one.config(), "two": two.config()})).start();
    let client = gateway.client("/mcp", askable());
    let mut asked = Vec::new();
    for (id, server) in [(1, "one"), (2, "two")] {
        let arguments =
            json!({"server": server, "tool": "ask", "arguments": elicit(json!(0), server)});
        let params = json!({"name": "gateway_invoke", "arguments": arguments});
        let mut events = client.stream(&crate::support::message(json!(id), "tools/call", &params));
        let question = events.json();
        asked.push((server, events, question));
    }
    assert_ne!(asked[0].2["id"], asked[1].2["id"]);
    for (server, events, question) in asked.iter_mut().rev() {
        assert_eq!(question["params"]["message"], *server);
        client.answer(question, accept(server));
        assert_eq!(said(&events.json())["result"], accept(server));
    }
}

pub(crate) fn an_answer_in_a_batch() {
    let [_, backend] = Asking::legacy();
    let gateway = backend.gateway();
    let (client, mut events, question) = asked(&gateway);
    let answer = json!([{"jsonrpc": "2.0", "id": question["id"], "result": accept("x")}]);
    let post = client.post(&answer.to_string());
    let taken = gateway.send(&post.header("mcp-protocol-version", "2025-03-26"));
    assert_eq!(taken.status, 202, "{}", taken.text());
    assert_eq!(said(&events.json())["result"], accept("x"));
}

/// A call of another backend with the same timeout is over before the client answers.
pub(crate) fn a_person_takes_longer_than_the_timeout() {
    for backend in Asking::legacy().into_iter().chain(Asking::modern()) {
        let slow = StdioBackend::new(&["--asks"]);
        let mut config = json!({"backend": backend.config(), "slow": slow.config()});
        config["backend"]["timeout"] = json!("1s");
        config["slow"]["timeout"] = json!("1200ms");
        let gateway = Setup::backends(config).start();
        let client = gateway.client("/mcp/backend", askable());
        // Its child is there when it counts.
        client.call("echo", json!({"message": "warm"}));
        let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
        let question = events.json();
        assert_eq!(
            gateway.invoke("slow", "hang", json!({})).refusal(),
            "BACKEND_TIMEOUT"
        );
        client.answer(&question, accept("at last"));
        let answer = events.json();
        assert!(answer.to_string().contains("at last"), "{answer}");
        let health = gateway.health("backend");
        assert_eq!(health["failure_count"], 0, "{health}");
        let slowest = health["latency_p99_ms"].as_f64().unwrap();
        assert!(slowest < 1000.0, "{health}");
    }
}

pub(crate) fn a_client_that_declared_nothing() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        for _ in 0..2 {
            let client = gateway.client("/mcp/backend", json!({}));
            let answer = client.call("ask", elicit(json!(0), "?"));
            let heard: Value = serde_json::from_str(&answer.said()).unwrap();
            assert_eq!(
                (&heard["id"], &heard["error"]["code"]),
                (&json!(0), &json!(-32601))
            );
        }
        let openings = backend.received("initialize");
        assert_eq!(openings.len(), 1, "{openings:?}");
        let opening: Value = serde_json::from_str(&openings[0]).unwrap();
        assert_eq!(opening["params"]["capabilities"], json!({}));
    }
}

pub(crate) fn only_what_the_client_declared() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", json!({"sampling": {}}));
        let answer = client.call("ask", elicit(json!(0), "?"));
        assert!(answer.said().contains("-32601"), "{}", answer.said());
        let sample =
            json!({"id": 1, "method": "sampling/createMessage", "params": {"messages": []}});
        let mut events = client.stream(&Way::Direct.call(7, "ask", sample));
        let question = events.json();
        assert_eq!(question["method"], "sampling/createMessage");
        client.answer(&question, json!({"role": "assistant"}));
        assert_eq!(said(&events.json())["result"]["role"], "assistant");
        let openings = backend.received("initialize");
        let told = openings.iter().filter(|it| it.contains(r#""sampling":{}"#));
        assert_eq!(told.count(), 1, "{openings:?}");
        assert!(
            openings.iter().any(|it| it.contains("\"scenario\"")),
            "{openings:?}"
        );
    }
}

/// Waits until the backend has an error as the answer to its own request 0.
fn told_no(backend: &Asking) {
    until("the backend is told that nobody answers", || {
        let is_told = |line: &String| {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            line["id"] == 0 && line["error"].is_object()
        };
        backend.lines().iter().any(is_told).then_some(())
    });
}

/// Whether the client is told that nobody waits for its answer any more.
pub(crate) fn is_withdrawn(told: &Value, question: &Value) {
    assert_eq!(told["method"], "notifications/cancelled", "{told}");
    assert_eq!(told["params"]["requestId"], question["id"]);
}

pub(crate) fn the_call_ends_meanwhile() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        for way in Way::ALL {
            let client = gateway.client(way.path(), askable());
            let mut ask = elicit(json!(0), "?");
            ask["waits"] = json!(false);
            let mut events = client.stream(&way.call(7, "ask", ask));
            let question = events.json();
            assert_eq!(question["method"], "elicitation/create", "{way:?}");
            is_withdrawn(&events.json(), &question);
            assert_eq!(events.json()["id"], 7, "{way:?}");
        }
        told_no(&backend);
    }
}

pub(crate) fn the_backend_dies_meanwhile() {
    let [_, backend] = Asking::legacy();
    let gateway = backend.gateway();
    let (client, mut events, question) = asked(&gateway);
    client.call("exit_now", json!({}));
    is_withdrawn(&events.json(), &question);
    assert_eq!(events.json()["id"], 7);
}

pub(crate) fn cancelled_in_a_round() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        let (client, mut events, question) = asked(&gateway);
        client.tell("notifications/cancelled", &json!({"requestId": 7}));
        is_withdrawn(&events.json(), &question);
    }
}

pub(crate) fn how_far_the_client_is() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", askable());
        let mut ask = elicit(json!(0), "?");
        ask["params"]["_meta"] = json!({"progressToken": "of the backend"});
        let mut events = client.stream(&Way::Direct.call(7, "ask", ask));
        let question = events.json();
        let token = &question["params"]["_meta"]["progressToken"];
        for token in [&json!("of nobody"), &json!(4711), token] {
            let progress = json!({"progressToken": token, "progress": 1, "x-kept": [1]});
            client.tell("notifications/progress", &progress);
        }
        let told = until("the backend hears of it", || {
            backend.received("notifications/progress").pop()
        });
        let told: Value = serde_json::from_str(&told).unwrap();
        let progress = json!({"progressToken": "of the backend", "progress": 1, "x-kept": [1]});
        assert_eq!(told["params"], progress);
        client.answer(&question, accept("done"));
        assert_eq!(said(&events.json())["result"], accept("done"));
        assert_eq!(backend.received("notifications/progress").len(), 1);
    }
}

pub(crate) fn the_client_leaves() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", askable());
        let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
        events.json();
        drop(events);
        told_no(&backend);
        assert_eq!(gateway.health("backend")["failure_count"], 0);
    }
}

pub(crate) fn the_client_leaves_before_it_is_asked() {
    let backend = StdioBackend::new(&["--asks"]);
    let mut config = json!({"backend": backend.config()});
    config["backend"]["timeout"] = json!("10m");
    let config = json!({"server": {"request_timeout": "10m"}, "backends": config});
    let gateway = Setup::config(config).start();
    let client = gateway.client("/mcp/backend", askable());
    let mut ask = elicit(json!(0), "?");
    ask["ms"] = json!(300);
    let post = client.post(&Way::Direct.call(7, "ask", ask));
    let left = post.begin(gateway.address()).unwrap();
    until("the call has arrived", || {
        (backend.calls("ask") == 1).then_some(())
    });
    drop(left);
    told_no(&Asking::Stdio(backend));
}

pub(crate) fn the_client_cancels() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let (client, mut events, question) = asked(&gateway);
        client.tell("notifications/cancelled", &json!({"requestId": 7}));
        is_withdrawn(&events.json(), &question);
        told_no(&backend);
        until("it is told of the call", || {
            (backend.received("notifications/cancelled").len() == 1).then_some(())
        });
        // Too late, and nobody minds.
        client.answer(&question, accept("?"));
    }
}

/// On standard streams nobody can tell which of several calls asks: it is asked on the stream of one of them, and none of the
/// others may take the question away.
pub(crate) fn another_call_of_the_client_ends_meanwhile() {
    let [_, backend] = Asking::legacy();
    let mut config = json!({"backend": backend.config()});
    config["backend"]["timeout"] = json!("2s");
    let gateway = Setup::backends(config).start();
    let client = gateway.client("/mcp/backend", askable());
    client.call("echo", json!({"message": "warm"}));
    let _of_no_call = client.listen();
    let (heard, hear) = mpsc::channel();
    let address = gateway.address();
    let mut ask = elicit(json!(0), "?");
    ask["ms"] = json!(500);
    let calls = [
        ("ask", ask),
        ("sleep", json!({"ms": 1_000})),
        ("hang", json!({})),
    ];
    for (id, (tool, arguments)) in (1..).zip(calls) {
        let (heard, client) = (heard.clone(), client.clone());
        thread::spawn(move || {
            let post = client.post(&Way::Direct.call(id, tool, arguments));
            // The one that hangs is cut off when the gateway ends.
            let opened = post.open(address).map(Events::of);
            for event in opened.into_iter().flat_map(Events::rest) {
                let _ = heard.send(event);
            }
        });
        until("the call has arrived", || {
            let calls = backend.received("tools/call");
            calls.iter().any(|call| call.contains(tool)).then_some(())
        });
    }
    let mut heard = std::iter::from_fn(|| hear.recv_timeout(PATIENCE).ok());
    let question = heard.find(|it| it["method"] == "elicitation/create");
    let slept = heard.find(|it| it["id"] == 2).unwrap();
    assert!(slept.to_string().contains("slept"), "{slept}");
    client.answer(&question.unwrap(), accept("still here"));
    let answer = heard.find(|it| it["id"] == 1).unwrap();
    assert_eq!(said(&answer)["result"], accept("still here"));
}
