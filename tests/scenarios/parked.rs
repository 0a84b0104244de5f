//! Older backends that ask modern clients: the call waits, sealed, until its client sends it again with the answers.

use serde_json::{Value, json};

use crate::{
    asked::{Asking, askable, elicit, said},
    modern_backend::{answer, modern},
    support::{Gateway, Setup, Way, until},
};

pub(crate) fn ask(gateway: &Gateway, way: Way, message: &str) -> (Value, Value) {
    let params = way.params("ask", elicit(json!(message), message));
    let asked = answer(gateway, &modern(way.path(), "tools/call", params.clone()));
    assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
    (params, asked["result"].clone())
}

/// The same call with answers to all that was asked.
pub(crate) fn again(mut params: Value, asked: &Value, response: &Value) -> Value {
    params["requestState"] = asked["requestState"].clone();
    for key in asked["inputRequests"].as_object().unwrap().keys() {
        params["inputResponses"][key] = response.clone();
    }
    params
}

pub(crate) fn until_it_is_sent_again() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        for way in Way::ALL {
            let mut clients = ["anna", "bert"].map(|name| (name, ask(&gateway, way, name)));
            clients.reverse();
            for (name, (params, asked)) in clients {
                let requests = asked["inputRequests"].as_object().unwrap();
                let (_, question) = requests.iter().next().unwrap();
                assert_eq!(question["method"], "elicitation/create");
                assert_eq!(question["params"]["message"], name);
                let response = json!({"action": "accept", "content": {"said": name}});
                let params = again(params, &asked, &response);
                let done = answer(&gateway, &modern(way.path(), "tools/call", params));
                assert_eq!((&done["id"], &said(&done)["id"]), (&json!(7), &json!(name)));
                assert_eq!(said(&done)["result"], response, "{way:?}");
            }
        }
        assert_eq!(backend.received("tools/call").len(), 2 * Way::ALL.len());
        assert_eq!(gateway.health("backend")["failure_count"], 0);
    }
}

pub(crate) fn beside_those_that_need_no_answer() {
    for backend in Asking::legacy() {
        let mut config = json!({"backend": backend.config()});
        config["backend"]["max_concurrency"] = json!(1);
        config["backend"]["max_queue"] = json!(0);
        let gateway = Setup::backends(config).start();
        let other = gateway.session("/mcp/backend");
        let client = gateway.client("/mcp/backend", askable());
        let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
        let question = events.json();
        let (params, asked) = ask(&gateway, Way::Direct, "?");
        assert!(
            other
                .call("echo", json!({"message": "meanwhile"}))
                .is_good()
        );
        let response = json!({"action": "decline"});
        client.answer(&question, response.clone());
        assert_eq!(said(&events.json())["result"], response);
        let params = again(params, &asked, &response);
        let done = answer(&gateway, &modern("/mcp/backend", "tools/call", params));
        assert_eq!(said(&done)["result"], response);
        assert_eq!(gateway.health("backend")["failure_count"], 0);
    }
}

pub(crate) fn with_a_state_that_is_not_its_own() {
    let [backend, _] = Asking::legacy();
    let gateway = backend.gateway();
    let (params, asked) = ask(&gateway, Way::Direct, "?");
    let response = json!({"action": "decline"});
    let code = |path: &str, params: Value| {
        answer(&gateway, &modern(path, "tools/call", params))["error"]["code"].clone()
    };
    let mut changed = again(params.clone(), &asked, &response);
    let state = asked["requestState"].as_str().unwrap();
    changed["requestState"] = json!(format!("{state}x"));
    assert_eq!(code("/mcp/backend", changed), -32602);
    let mut another = again(params.clone(), &asked, &response);
    another["name"] = json!("echo");
    assert_eq!(
        code("/mcp/backend", another),
        -32602,
        "it was made for another tool"
    );
    let mut otherwise = again(params.clone(), &asked, &response);
    otherwise["arguments"]["params"]["message"] = json!("!");
    assert_eq!(
        code("/mcp/backend", otherwise),
        -32602,
        "for other arguments"
    );
    let whole = again(params, &asked, &response);
    assert_eq!(
        code("/mcp", whole.clone()),
        -32602,
        "and for another endpoint"
    );
    let done = answer(
        &gateway,
        &modern("/mcp/backend", "tools/call", whole.clone()),
    );
    assert_eq!(said(&done)["result"], response);
    assert_eq!(code("/mcp/backend", whole), -32602, "it has been used");
    assert_eq!(backend.received("tools/call").len(), 1);
}

pub(crate) fn with_a_part_of_the_answers() {
    let [backend, _] = Asking::legacy();
    let gateway = backend.gateway();
    let (params, asked) = ask(&gateway, Way::Direct, "?");
    let mut none = params.clone();
    none["requestState"] = asked["requestState"].clone();
    none["inputResponses"] = json!({"another": {"action": "accept"}});
    let repeated = answer(&gateway, &modern("/mcp/backend", "tools/call", none));
    let repeated = &repeated["result"];
    assert_eq!(repeated["resultType"], "input_required", "{repeated}");
    assert_eq!(repeated["inputRequests"], asked["inputRequests"]);
    let response = json!({"action": "cancel"});
    let params = again(params, repeated, &response);
    let done = answer(&gateway, &modern("/mcp/backend", "tools/call", params));
    assert_eq!(said(&done)["result"], response);
}

pub(crate) fn of_a_client_that_cannot_be_asked() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let params = Way::Direct.params("ask", elicit(json!(0), "?"));
        let call = modern("/mcp/backend", "tools/call", params)
            .body(|body| body.replace(r#""elicitation":{"form":{}},"#, ""));
        let heard = said(&answer(&gateway, &call));
        assert_eq!(heard["error"]["code"], -32601, "{heard}");
    }
}

pub(crate) fn until_the_gateway_ends() {
    let [backend, _] = Asking::legacy();
    let mut gateway = backend.gateway();
    ask(&gateway, Way::Direct, "?");
    gateway.signal(rustix::process::Signal::TERM);
    assert!(gateway.wait().success());
    until("the backend is told", || {
        let is_told = |line: &String| line.contains(r#""error""#);
        backend.lines().iter().any(is_told).then_some(())
    });
}
