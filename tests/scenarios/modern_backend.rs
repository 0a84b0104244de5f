//! Backends of revision 2026-07-28: what clients of either era get from them.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    asked::{Asking, askable, elicit, said},
    support::{
        Era, EraBackend, Gateway, Request, Setup, StdioBackend, Way, message,
        modern_offer::{LEVELS, ODD_INPUT, REVISION},
        until,
    },
};

const META: &str = "io.modelcontextprotocol/";

fn meta(key: &str) -> String {
    format!("{META}{key}")
}

/// A POST as modern clients send it, of a client that can be asked.
pub(crate) fn modern(path: &str, method: &str, params: Value) -> Request {
    let name = params.get("name").or(params.get("uri")).cloned();
    let body = modern_body(method, params);
    let post = Request::post(path, body)
        .header("mcp-protocol-version", REVISION)
        .header("mcp-method", method);
    match name {
        Some(name) => post.header("mcp-name", name.as_str().unwrap()),
        None => post,
    }
}

fn modern_body(method: &str, mut params: Value) -> String {
    params["_meta"][meta("protocolVersion")] = json!(REVISION);
    params["_meta"][meta("clientCapabilities")] = askable();
    message(json!(7), method, &params)
}

/// What an answer says, however often it came on a stream.
pub(crate) fn answer(gateway: &Gateway, request: &Request) -> Value {
    let reply = gateway.send(request).reply();
    serde_json::from_str(&reply.text).unwrap()
}

pub(crate) fn a_legacy_client_is_introduced() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        for way in Way::ALL {
            let client = gateway.client(way.path(), askable());
            let answer = client.send(&way.call(7, "meta", json!({}))).reply();
            let told: Value = serde_json::from_str(&answer.said()).unwrap();
            assert_eq!(told[meta("protocolVersion")], REVISION, "{way:?}");
            assert_eq!(told[meta("clientCapabilities")], askable(), "{way:?}");
            assert_eq!(told[meta("clientInfo")]["name"], "scenario", "{way:?}");
            let echo = client.send(&way.call(8, "echo", json!({"message": "hello"})));
            assert_eq!(echo.reply().said(), "hello");
        }
        let client = gateway.client("/mcp/backend", json!({}));
        assert_eq!(client.welcome["serverInfo"]["name"], "scripted-modern");
        let list = client.ask("tools/list", json!({})).result();
        assert!(list["tools"].as_array().unwrap().len() > 3, "{list}");
        let read = client.ask("resources/read", json!({"uri": "modern:///one"}));
        assert!(read.raw_result().contains("the memo"));
    }
}

pub(crate) fn headers_say_what_the_body_says() {
    let backend = EraBackend::start(Era::Modern);
    let config = json!({
        "meta_mcp": {"enabled": false},
        "backends": {"backend": backend.config()},
    });
    let gateway = Setup::config(config).start();
    let client = gateway.session("/mcp");
    let call = message(
        json!(1),
        "tools/call",
        &Way::Federated.params("echo", json!({})),
    );
    assert!(client.send(&call).reply().is_good());
    let post = modern(
        "/mcp",
        "tools/call",
        Way::Federated.params("echo", json!({})),
    );
    let post = post.header("mcp-param-region", "eu west");
    assert_eq!(gateway.send(&post).status, 200);
    let calls = backend.received("tools/call");
    for call in &calls {
        assert_eq!(call.header("mcp-method"), Some("tools/call"));
        assert_eq!(call.header("mcp-name"), Some("echo"), "its own name");
        assert_eq!(call.header("mcp-protocol-version"), Some(REVISION));
        assert!(call.header("mcp-session-id").is_none());
    }
    assert_eq!(calls[0].header("mcp-param-region"), None);
    assert_eq!(calls[1].header("mcp-param-region"), Some("eu west"));
}

pub(crate) fn asks_a_legacy_client_in_rounds() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        for way in Way::ALL {
            let client = gateway.client(way.path(), askable());
            let mut ask = elicit(json!(0), "round");
            ask["rounds"] = json!(3);
            let mut events = client.stream(&way.call(7, "ask", ask));
            let mut ids = Vec::new();
            for action in ["accept", "cancel", "decline"] {
                let question = events.json();
                assert_eq!(question["method"], "elicitation/create");
                assert_eq!(question["params"]["message"], "round");
                client.answer(&question, json!({"action": action}));
                ids.push(question["id"].clone());
            }
            let answer = events.json();
            assert_eq!(answer["id"], 7);
            assert_eq!(
                said(&answer)["key"],
                json!({"action": "decline"}),
                "{way:?}"
            );
            ids.dedup();
            assert_eq!(ids.len(), 3);
        }
    }
}

pub(crate) fn asks_for_several_things_at_once() {
    let [backend, _] = Asking::modern();
    let gateway = backend.gateway();
    let client = gateway.client("/mcp/backend", askable());
    let requests = json!({
        "a": {"method": "elicitation/create", "params": {"message": "?"}},
        "b é": {"method": "sampling/createMessage", "params": {"messages": []}},
        "c": {"method": "roots/list"},
    });
    let call = Way::Direct.call(7, "ask", json!({"requests": requests}));
    let mut events = client.stream(&call);
    let mut questions = [events.json(), events.json(), events.json()];
    questions.reverse();
    for question in &questions {
        client.answer(question, json!({"of": question["method"]}));
    }
    let heard = said(&events.json());
    assert_eq!(heard["a"]["of"], "elicitation/create");
    assert_eq!(heard["b é"]["of"], "sampling/createMessage");
    assert_eq!(heard["c"]["of"], "roots/list");
}

pub(crate) fn asks_without_end() {
    let [backend, _] = Asking::modern();
    let gateway = backend.gateway();
    let client = gateway.client("/mcp/backend", askable());
    for (rounds, is_good) in [(10, true), (11, false)] {
        let mut ask = elicit(json!(0), "?");
        ask["rounds"] = json!(rounds);
        let mut events = client.stream(&Way::Direct.call(7, "ask", ask));
        let mut event = events.json();
        while event["method"] == "elicitation/create" {
            client.answer(&event, json!({"action": "accept"}));
            event = events.json();
        }
        assert_eq!(event["result"]["isError"] != true, is_good, "{event}");
    }
    assert_eq!(gateway.health("backend")["failure_count"], 0);
}

pub(crate) fn asks_who_cannot_be_asked() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", json!({"sampling": {}}));
        let refused = client.call("ask", elicit(json!(0), "?"));
        let result = refused.result();
        assert_eq!(result["isError"], true, "{result}");
        assert!(refused.said().contains("elicitation/create"), "{result}");
        let unable = client.call("unable", json!({}));
        assert_eq!(unable.result()["isError"], true);
        assert!(
            unable.said().contains("Elicitation is needed"),
            "{}",
            unable.said()
        );
        assert_eq!(gateway.health("backend")["failure_count"], 0);
    }
}

pub(crate) fn the_client_refuses_in_a_round() {
    let [backend, _] = Asking::modern();
    let gateway = backend.gateway();
    let client = gateway.client("/mcp/backend", askable());
    let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
    let question = events.json();
    let refusal = json!({"code": -1, "message": "not today"});
    client.reply(&json!({"jsonrpc": "2.0", "id": question["id"], "error": refusal}));
    let answer = events.json();
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(answer.to_string().contains("not today"), "{answer}");
    assert_eq!(backend.received("tools/call").len(), 1);
}

pub(crate) fn log_lines_by_level() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", json!({}));
        let heard = || {
            let mut levels = client.call("log", json!({})).before;
            levels.retain(|line| line.contains("notifications/message"));
            levels
        };
        assert_eq!(heard().len(), LEVELS.len(), "all until a level was set");
        client.ask("logging/setLevel", json!({"level": "warning"}));
        let lines = heard();
        assert_eq!(lines.len(), 2, "{lines:?}");
        let asked = backend.received("tools/call");
        assert!(asked[0].contains(r#"logLevel":"info""#), "{asked:?}");
        assert!(asked[1].contains(r#"logLevel":"warning""#), "{asked:?}");
    }
}

pub(crate) fn a_legacy_client_cancels() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", json!({}));
        let call = client.post(&Way::Direct.call(9, "hang", json!({})));
        let _open = call.begin(gateway.address()).unwrap();
        until("the call has arrived", || {
            (backend.received("tools/call").len() == 1).then_some(())
        });
        client.tell("notifications/cancelled", &json!({"requestId": 9}));
        until("the backend is told", || match &backend {
            Asking::Http(http) => (http.left() == 1).then_some(()),
            Asking::Stdio(child) => {
                (child.received("notifications/cancelled").len() == 1).then_some(())
            }
        });
        if matches!(backend, Asking::Http(_)) {
            assert!(backend.received("notifications/cancelled").is_empty());
        }
    }
}

pub(crate) fn a_modern_client_passes_byte_for_byte() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        let post = modern(
            "/mcp/backend",
            "tools/call",
            json!({"name": "odd", "arguments": {}}),
        );
        let asked = gateway.send(&post).text();
        assert!(asked.contains(ODD_INPUT), "{asked}");
        let answers = r#""inputResponses":{"a b\u00e9":{"action":"accept","content":{"n":1e400,"é":[ 1.0 ]}}},"requestState":"s\/=+\u00e9","x-more":{"y":18446744073709551615}"#;
        let body = modern_body("tools/call", json!({"name": "odd", "arguments": {}}));
        let body = body.replace(r#""params":{"#, &format!(r#""params":{{{answers},"#));
        let again = Request::post("/mcp/backend", body)
            .header("mcp-protocol-version", REVISION)
            .header("mcp-method", "tools/call")
            .header("mcp-name", "odd");
        let answer = gateway.send(&again);
        assert!(answer.text().contains("thanks"), "{}", answer.text());
        let calls = backend.received("tools/call");
        assert!(calls[1].contains(answers), "{}", calls[1]);
    }
}

/// The meta-tool is repeated, and its backend's tool with it.
pub(crate) fn a_modern_client_answers_through_the_meta_tool() {
    for backend in Asking::modern() {
        let gateway = backend.gateway();
        for way in Way::ALL {
            let params = way.params("ask", elicit(json!(0), "?"));
            let asked = answer(&gateway, &modern(way.path(), "tools/call", params.clone()));
            assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
            let mut again = params;
            again["requestState"] = asked["result"]["requestState"].clone();
            again["inputResponses"] = json!({"key": {"action": "accept"}});
            let done = answer(&gateway, &modern(way.path(), "tools/call", again));
            assert_eq!(said(&done)["key"]["action"], "accept", "{way:?}");
        }
    }
}

pub(crate) fn errors_keep_their_status() {
    let [backend, _] = Asking::modern();
    let gateway = backend.gateway();
    let unable = modern(
        "/mcp/backend",
        "tools/call",
        json!({"name": "unable", "arguments": {}}),
    );
    let refused = gateway.send(&unable);
    assert_eq!((refused.status, refused.reply().code()), (400, -32021));
    let data = &refused.reply().error()["data"];
    assert_eq!(data["requiredCapabilities"], json!({"elicitation": {}}));
    let unknown = gateway.send(&modern("/mcp/backend", "no/such", json!({})));
    assert_eq!((unknown.status, unknown.reply().code()), (404, -32601));
    let hints = answer(&gateway, &modern("/mcp/backend", "tools/list", json!({})));
    assert_eq!(hints["result"]["ttlMs"], 1000, "{hints}");
    assert_eq!(hints["result"]["cacheScope"], "public");
    assert_eq!(gateway.health("backend")["failure_count"], 0);
}

/// The first call may hear of the change; from the second on all is as if the backend had always been so.
pub(crate) fn replaced_by_one_of_the_other_era() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let legacy = gateway.client("/mcp/backend", json!({}));
    let by_legacy = || legacy.call("echo", json!({"message": "here"})).text;
    let by_modern = || {
        let params = json!({"name": "echo", "arguments": {"message": "here"}});
        gateway
            .send(&modern("/mcp/backend", "tools/call", params))
            .text()
    };
    for era in [Era::Legacy, Era::Modern, Era::Legacy, Era::Modern] {
        backend.becomes(era);
        for call in [&by_legacy as &dyn Fn() -> String, &by_modern] {
            let heard = [call(), call()];
            assert!(
                heard[1].contains("here") && !heard[1].contains("rror"),
                "{era:?}: {heard:#?}"
            );
        }
    }
    gateway.signal(Signal::TERM);
}

pub(crate) fn a_child_of_one_era_alone() {
    let backend = StdioBackend::new(&["--modern"]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    assert_eq!(
        gateway
            .invoke("backend", "echo", json!({"message": "a"}))
            .said(),
        "a"
    );
    assert_eq!(backend.received("initialize").len(), 1);
    assert_eq!(backend.received("server/discover").len(), 1);
    gateway.logged(&["Backend started", REVISION]);
}
