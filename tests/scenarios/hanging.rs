//! Backends that accept and never answer, and callers who no longer want the answer.

use std::thread;

use serde_json::{Value, json};

use crate::support::{
    HttpBackend, Mood, Request, Setup, StdioBackend, frame::Frame, message, until,
};

pub(crate) fn deadline_frees_the_place() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["timeout"] = json!("400ms");
    config["max_concurrency"] = json!(1);
    let gateway = Setup::backends(json!({"server": config})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.feel(Mood::Hanging);
    for _ in 0..2 {
        let reply = gateway.invoke("server", "echo", json!({}));
        assert_eq!(reply.refusal(), "BACKEND_TIMEOUT", "{reply:?}");
    }
    server.feel(Mood::Well);
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    let status = gateway.json("/health")["backends"]["server"].clone();
    assert_eq!(
        (&status["in_flight"], &status["queued"]),
        (&json!(0), &json!(0))
    );
}

pub(crate) fn deadline_frees_the_probe() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["timeout"] = json!("300ms");
    config["circuit_breaker"] = json!({"failure_threshold": 2, "success_threshold": 1, "half_open_max_calls": 1,
        "reset_timeout": "100ms", "max_reset_timeout": "200ms"});
    let gateway = Setup::backends(json!({"server": config})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.feel(Mood::Hanging);
    until("two probes hang as well", || {
        gateway.invoke("server", "echo", json!({}));
        (server.calls("echo") >= 5).then_some(())
    });
    server.feel(Mood::Well);
    until("a later probe finds a free place", || {
        gateway
            .invoke("server", "echo", json!({}))
            .is_good()
            .then_some(())
    });
}

pub(crate) fn mute_from_the_start() {
    let steady = StdioBackend::new(&[]);
    let mute = json!({"command": "sleep", "args": ["600"], "timeout": "500ms"});
    let gateway = Setup::backends(json!({"mute": mute, "steady": steady.config()})).start();
    for _ in 0..2 {
        let reply = gateway.invoke("mute", "echo", json!({}));
        assert!(
            ["BACKEND_UNREACHABLE", "BACKEND_TIMEOUT"].contains(&reply.refusal().as_str()),
            "{reply:?}"
        );
    }
    assert!(gateway.invoke("steady", "echo", json!({})).is_good());
}

pub(crate) fn slow_tool_alone() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["timeout"] = json!("3s");
    config["circuit_breaker"] = json!({"failure_threshold": 100});
    let gateway = &Setup::backends(json!({"backend": config})).start();
    thread::scope(|scope| {
        let hanging: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| gateway.invoke("backend", "hang", json!({}))))
            .collect();
        until("all of them hang", || {
            (backend.calls("hang") == 8).then_some(())
        });
        let reply = gateway.invoke("backend", "echo", json!({"message": "quick"}));
        assert_eq!(reply.said(), "quick");
        assert!(hanging.iter().all(|call| !call.is_finished()));
        for call in hanging {
            assert_eq!(call.join().unwrap().refusal(), "BACKEND_TIMEOUT");
        }
    });
    assert_eq!(
        backend.starts(),
        1,
        "a call without an answer is no reason to kill the child"
    );
}

pub(crate) fn cancelled_by_frame() {
    let (asked, other) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let gateway =
        Setup::backends(json!({"asked": asked.config(), "other": other.config()})).start();
    assert!(gateway.invoke("other", "echo", json!({})).is_good());
    let session = gateway.session("/mcp/asked");
    assert!(session.call("echo", json!({})).is_good());
    let before = gateway.health("asked");
    let params = json!({"name": "hang", "arguments": {}});
    let call = message(json!("mine"), "tools/call", &params);
    thread::scope(|scope| {
        let pending = scope.spawn(|| session.post(&call).send(gateway.address()));
        until("the call is there", || {
            (asked.calls("hang") == 1).then_some(())
        });
        session.tell(
            "notifications/cancelled",
            &json!({"requestId": "mine", "reason": "enough"}),
        );
        let told = until("the backend is told", || {
            asked.received("notifications/cancelled").pop()
        });
        let held = id_of_call(&asked, "hang");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["params"]["requestId"].to_string(), held);
        let _ = pending.join().unwrap();
    });
    assert!(other.received("notifications/cancelled").is_empty());
    let after = gateway.health("asked");
    for count in ["success_count", "failure_count", "consecutive_failures"] {
        assert_eq!(before[count], after[count], "{count}");
    }
}

pub(crate) fn gone_without_a_word() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let session = gateway.session("/mcp/backend");
    assert!(session.call("echo", json!({})).is_good());
    let before = gateway.health("backend")["success_count"].as_u64().unwrap();
    let params = json!({"name": "sleep", "arguments": {"ms": 500}});
    let call = message(json!(7), "tools/call", &params);
    let connection = session.post(&call).begin(gateway.address()).unwrap();
    until("the call is there", || {
        (backend.calls("sleep") == 1).then_some(())
    });
    drop(connection);
    until("the call went on to its end", || {
        (gateway.health("backend")["success_count"] == before + 1).then_some(())
    });
    assert!(
        backend.received("notifications/cancelled").is_empty(),
        "up to 2025-11-25 hanging up is no cancel"
    );
}

pub(crate) fn gone_without_a_session() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let params = json!({"server": "backend", "tool": "hang"});
    let call = message(json!(7), "gateway_invoke", &params);
    let connection = Request::post("/mcp", call)
        .begin(gateway.address())
        .unwrap();
    until("the call is there", || {
        (backend.calls("hang") == 1).then_some(())
    });
    drop(connection);
    until("the backend is told", || {
        backend.received("notifications/cancelled").pop()
    });
    assert_eq!(
        gateway.health("backend")["failure_count"],
        0,
        "nothing is counted against it"
    );
}

pub(crate) fn cancelled_by_somebody_else() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let (mine, theirs) = (
        gateway.session("/mcp/backend"),
        gateway.session("/mcp/backend"),
    );
    let params = json!({"name": "sleep", "arguments": {"ms": 700}});
    let call = message(json!(7), "tools/call", &params);
    thread::scope(|scope| {
        let pending = scope.spawn(|| mine.send(&call).reply());
        until("the call is there", || {
            (backend.calls("sleep") == 1).then_some(())
        });
        theirs.tell("notifications/cancelled", &json!({"requestId": 7}));
        assert_eq!(pending.join().unwrap().said(), "slept");
    });
    assert!(backend.received("notifications/cancelled").is_empty());
}

fn id_of_call(backend: &StdioBackend, tool: &str) -> String {
    backend
        .received("tools/call")
        .iter()
        .filter_map(|line| Frame::parse(line))
        .find(|frame| frame.called_tool().as_deref() == Some(tool))
        .map(|frame| frame.id().to_owned())
        .unwrap_or_default()
}
