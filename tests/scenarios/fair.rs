//! What is sent once, what is counted as broken, and who pays for a flood.

use std::thread;

use serde_json::{Value, json};

use crate::{
    asked::{Asking, askable, elicit, said},
    modern_backend::modern,
    parked::again,
    support::{HttpBackend, Mood, Session, Setup, StdioBackend, Way, until},
};

pub(crate) fn never_twice_http() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["timeout"] = json!("400ms");
    config["circuit_breaker"] = json!({"enabled": false});
    let gateway = Setup::backends(json!({"server": config})).start();
    gateway.ask("gateway_list_tools", json!({"server": "server"}));
    let troubles = [
        Mood::HangingUp,
        Mood::Status(500, ""),
        Mood::Status(503, "retry-after: 0\r\n"),
        Mood::Garbled,
        Mood::Hanging,
    ];
    for (number, trouble) in (1..).zip(troubles) {
        server.feel(trouble);
        assert!(
            !gateway.invoke("server", "echo", json!({})).is_good(),
            "{trouble:?}"
        );
        assert_eq!(server.arrivals("echo"), number, "{trouble:?}");
    }
}

pub(crate) fn never_twice_stdio() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    gateway.ask("gateway_list_tools", json!({"server": "backend"}));
    assert!(!gateway.invoke("backend", "exit_once", json!({})).is_good());
    assert_eq!(backend.calls("exit_once"), 1);
    let session = gateway.session("/mcp/backend");
    assert!(!session.call("half_frame", json!({})).is_good());
    assert_eq!(backend.calls("half_frame"), 1);
}

pub(crate) fn hinted_is_repeated() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    gateway.ask("gateway_list_tools", json!({"server": "backend"}));
    let reply = gateway.invoke("backend", "safe_exit_once", json!({}));
    assert_eq!(reply.said(), "alive the second time");
    assert_eq!((backend.calls("safe_exit_once"), backend.starts()), (2, 2));
}

pub(crate) fn throttled() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["timeout"] = json!("500ms");
    let gateway = Setup::backends(json!({"server": config})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.feel(Mood::Status(429, "retry-after: 7\r\n"));
    for _ in 0..8 {
        let reply = gateway.invoke("server", "echo", json!({}));
        assert_eq!(reply.refusal(), "RATE_LIMITED", "{reply:?}");
        let wait = reply.recovery()["retry_after_ms"].as_u64().unwrap();
        assert!((1..=7000).contains(&wait), "{wait}");
    }
    assert_eq!(gateway.circuit("server"), "Closed");
    assert_eq!(gateway.health("server")["failure_count"], 0);
}

pub(crate) fn throttled_for_a_moment() {
    let server = HttpBackend::start();
    let gateway = &Setup::backends(json!({"server": server.config()})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.feel(Mood::Status(429, "retry-after: 1\r\n"));
    thread::scope(|scope| {
        let call =
            scope.spawn(|| gateway.invoke("server", "echo", json!({"message": "in the end"})));
        until("it was throttled", || {
            (server.arrivals("echo") == 2).then_some(())
        });
        server.feel(Mood::Well);
        assert_eq!(
            call.join().unwrap().said(),
            "in the end",
            "sent again after the time it named"
        );
    });
}

pub(crate) fn tool_errors_trip_nothing() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    for round in 0..8 {
        let reply = gateway.invoke("backend", "fail", json!({}));
        assert_eq!(reply.said(), "it failed");
        assert_eq!(reply.result()["isError"], true);
        gateway.invoke("backend", "refuse", json!({"code": -32602}));
        // The fifth would open the tool's own circuit.
        if round < 4 {
            gateway.invoke("backend", "refuse", json!({"code": -32603}));
        }
    }
    assert_eq!(gateway.circuit("backend"), "Closed");
    assert_eq!(gateway.health("backend")["healthy"], true);
    assert_eq!(backend.calls("refuse"), 12);
}

pub(crate) fn which_credential() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["headers"] = json!({"Authorization": "Bearer s3cret-token-value"});
    let gateway = Setup::backends(json!({"guarded": config})).start();
    server.feel(Mood::Status(401, "www-authenticate: Bearer\r\n"));
    for _ in 0..8 {
        let reply = gateway.invoke("guarded", "echo", json!({}));
        assert!(reply.said().contains("401"), "{}", reply.said());
        assert!(
            reply.said().contains("guarded") && reply.said().contains("credential"),
            "{}",
            reply.said()
        );
    }
    assert_eq!(gateway.circuit("guarded"), "Closed");
    let told = format!("{:?}{}", gateway.log(), gateway.json("/health"));
    assert!(!told.contains("s3cret-token-value"));
    let sent = server.arrived().pop().unwrap();
    assert_eq!(
        sent.header("authorization"),
        Some("Bearer s3cret-token-value")
    );
}

pub(crate) fn limit_of_a_backend() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["rate_limit"] = json!({"enabled": true, "requests_per_second": 1, "burst_size": 20});
    config["retry"] = json!({"enabled": false});
    let gateway = Setup::backends(json!({"backend": config})).start();
    let refused: Vec<_> = (0..40)
        .map(|_| gateway.invoke("backend", "echo", json!({})))
        .filter(|reply| !reply.is_good())
        .collect();
    assert!(refused.len() >= 15, "{} refused", refused.len());
    assert_eq!(
        backend.calls("echo") + refused.len(),
        40,
        "what was refused reached nobody"
    );
    for reply in refused {
        assert_eq!(reply.refusal(), "RATE_LIMITED", "{reply:?}");
        assert!(reply.recovery()["retry_after_ms"].as_u64().unwrap() <= 1000);
    }
    assert_eq!(gateway.circuit("backend"), "Closed");
}

pub(crate) fn one_call_in_rounds_pays_once() {
    for backend in Asking::modern() {
        let mut config = backend.config();
        config["rate_limit"] = json!({"enabled": true, "requests_per_second": 1, "burst_size": 1});
        config["retry"] = json!({"enabled": false});
        let gateway = Setup::backends(json!({"backend": config})).start();
        let client = gateway.client("/mcp/backend", askable());
        let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
        let question = events.json();
        client.answer(&question, json!({"action": "decline"}));
        let answer = events.json();
        assert!(answer["result"].is_object(), "{answer}");
    }
}

pub(crate) fn answers_are_free() {
    for backend in Asking::legacy() {
        let keys = json!([
            {"key": "old", "name": "old", "rate_limit": 3},
            {"key": "new", "name": "new", "rate_limit": 1},
        ]);
        let auth = json!({"enabled": true, "api_keys": keys});
        let gateway =
            Setup::config(json!({"auth": auth, "backends": {"backend": backend.config()}})).start();
        let headers = [("authorization", "Bearer old")];
        // Its opening takes two.
        let client = Session::open_as(gateway.address(), "/mcp/backend", &headers, askable());
        let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
        let question = events.json();
        let response = json!({"action": "decline"});
        client.answer(&question, response.clone());
        assert_eq!(said(&events.json())["result"], response);
        assert_eq!(
            client.send(&Way::Direct.call(8, "echo", json!({}))).status,
            429
        );

        let send = |params: Value| {
            let post = modern("/mcp/backend", "tools/call", params);
            gateway.send(&post.header("authorization", "Bearer new"))
        };
        let params = Way::Direct.params("ask", elicit(json!(0), "?"));
        let asked = send(params.clone()).reply().result();
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        let done = send(again(params.clone(), &asked, &response)).reply();
        assert_eq!(said(&json!({"result": done.result()}))["result"], response);
        assert_eq!(send(params).status, 429);
    }
}

pub(crate) fn lists_are_free() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["rate_limit"] = json!({"enabled": true, "requests_per_second": 1, "burst_size": 1});
    let gateway = Setup::backends(json!({"backend": config})).start();
    let first = gateway.invoke("backend", "echo", json!({"message": "first"}));
    assert_eq!(first.said(), "first");
}

pub(crate) fn full_queue() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["max_concurrency"] = json!(1);
    config["max_queue"] = json!(1);
    let gateway = &Setup::backends(json!({"backend": config})).start();
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    thread::scope(|scope| {
        let sleep = || gateway.invoke("backend", "sleep", json!({"ms": 800}));
        let (running, waiting) = (scope.spawn(sleep), scope.spawn(sleep));
        until("one runs and one waits", || {
            let status = gateway.json("/health")["backends"]["backend"].clone();
            (status["in_flight"] == 1 && status["queued"] == 1).then_some(())
        });
        let refused = gateway.invoke("backend", "echo", json!({}));
        assert_eq!(refused.refusal(), "OVERLOADED", "{refused:?}");
        assert_eq!(running.join().unwrap().said(), "slept");
        assert_eq!(waiting.join().unwrap().said(), "slept");
    });
    assert_eq!(backend.calls("echo"), 1, "what was refused reached nobody");
    assert_eq!(gateway.health("backend")["failure_count"], 0);
}

pub(crate) fn flood_of_one_caller() {
    let backend = StdioBackend::new(&[]);
    let keys = json!([{"key": "flooder", "name": "flooder", "rate_limit": 30}, {"key": "calm", "name": "calm"}]);
    let config = json!({"auth": {"enabled": true, "api_keys": keys}, "backends": {"backend": backend.config()}});
    let gateway = Setup::config(config).start();
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{"server":"backend","tool":"echo"}}"#;
    let post = |key: &str| {
        let request = crate::support::Request::post("/mcp", body);
        gateway.send(&request.header("authorization", &format!("Bearer {key}")))
    };
    let answers: Vec<_> = (0..100).map(|_| post("flooder")).collect();
    let refused: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == 429)
        .collect();
    assert!(refused.len() >= 60, "{} refused", refused.len());
    for answer in refused {
        assert!(answer.header("retry-after").is_some());
        assert!(
            !answer.text().contains("CIRCUIT_OPEN") && !answer.text().contains("circuit"),
            "{}",
            answer.text()
        );
    }
    for _ in 0..20 {
        assert!(post("calm").reply().is_good(), "the others notice nothing");
    }
    assert!(
        backend.calls("echo") <= 60,
        "what was refused reached no backend"
    );
}
