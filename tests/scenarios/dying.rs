//! Backends that die: children that exit, commands that do not exist, crash loops, servers whose port closes.

use std::thread;

use serde_json::{Value, json};

use crate::support::{HttpBackend, Reply, Setup, StdioBackend, until};

pub(crate) fn exit_in_the_middle() {
    let (fragile, steady) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let backends = json!({"fragile": fragile.config(), "steady": steady.config()});
    let gateway = &Setup::backends(backends).start();
    assert!(gateway.invoke("fragile", "echo", json!({})).is_good());
    let (failed, slept) = thread::scope(|scope| {
        let slept = scope.spawn(|| gateway.invoke("steady", "sleep", json!({"ms": 500})));
        let pending: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| gateway.invoke("fragile", "hang", json!({}))))
            .collect();
        until("all calls are pending", || {
            (fragile.calls("hang") == 3 && steady.calls("sleep") == 1).then_some(())
        });
        let last = gateway.invoke("fragile", "exit_now", json!({"code": 3}));
        let mut failed: Vec<Reply> = pending
            .into_iter()
            .map(|call| call.join().unwrap())
            .collect();
        failed.push(last);
        (failed, slept.join().unwrap())
    });
    for reply in failed {
        assert_eq!(reply.refusal(), "BACKEND_UNREACHABLE", "{reply:?}");
        let said = reply.said();
        assert!(
            said.contains("status: 3") || said.contains("code 3") || said.contains("status 3"),
            "{said}"
        );
        assert!(said.contains("the disk is full"), "{said}");
    }
    assert_eq!(slept.said(), "slept");
    let next = gateway.invoke("fragile", "echo", json!({"message": "again"}));
    assert_eq!(next.said(), "again", "the next call starts it again");
    assert_eq!((fragile.starts(), steady.starts()), (2, 1));
    assert_eq!(
        fragile.calls("hang"),
        3,
        "a call that may have run is not repeated"
    );
}

pub(crate) fn silent_survivor() {
    let silent = json!({"command": "sh", "args": ["-c", "exec >&-; exec sleep 1000"]});
    let gateway = Setup::backends(json!({"silent": silent})).start();
    let reply = gateway.invoke("silent", "echo", json!({}));
    assert_eq!(reply.refusal(), "BACKEND_UNREACHABLE", "{reply:?}");
    assert!(
        reply.said().contains("closed its stdout"),
        "{}",
        reply.said()
    );
}

pub(crate) fn no_such_command() {
    let steady = StdioBackend::new(&[]);
    let missing = json!({"command": "/no/such/program", "args": ["--really"]});
    let gateway = Setup::backends(json!({"missing": missing, "steady": steady.config()})).start();
    for _ in 0..4 {
        let reply = gateway.invoke("missing", "echo", json!({}));
        assert_eq!(reply.refusal(), "BACKEND_UNREACHABLE", "{reply:?}");
        assert!(
            reply.said().contains("/no/such/program"),
            "{}",
            reply.said()
        );
        assert_eq!(
            reply.recovery()["retry_after_ms"],
            Value::Null,
            "waiting does not help"
        );
    }
    let status = gateway.json("/health")["backends"]["missing"].clone();
    assert!(
        status["permanent"]
            .as_str()
            .is_some_and(|why| why.contains("/no/such/program")),
        "{status}"
    );
    assert_eq!(gateway.health("missing")["healthy"], false);
    for _ in 0..2 {
        let missing = gateway.ask("gateway_list_servers", json!({})).result()["missing"][0].clone();
        assert_eq!(missing["server"], "missing");
        let reason = missing["reason"].as_str().unwrap();
        assert!(reason.contains("/no/such/program"), "{reason}");
    }
    assert!(gateway.invoke("steady", "echo", json!({})).is_good());
    let spawns = gateway
        .log()
        .iter()
        .filter(|line| line.contains("/no/such/program") && !line.contains("Request failed"))
        .filter(|line| line.contains(" WARN ") || line.contains("ERROR"))
        .count();
    assert!(spawns <= 1, "said {spawns} times");
}

pub(crate) fn crash_loop() {
    let looping = StdioBackend::new(&["--crash-at-start"]);
    let gateway = Setup::backends(json!({"looping": looping.config()})).start();
    for _ in 0..40 {
        let reply = gateway.invoke("looping", "echo", json!({}));
        let refusal = reply.refusal();
        assert!(
            refusal == "BACKEND_UNREACHABLE" || refusal == "CIRCUIT_OPEN",
            "{reply:?}"
        );
        assert!(
            reply.said().contains("refusing to start"),
            "the reason: {}",
            reply.said()
        );
    }
    assert_eq!(
        gateway.invoke("looping", "echo", json!({})).refusal(),
        "CIRCUIT_OPEN",
        "refused fast"
    );
    assert!(
        looping.starts() < 10,
        "{} starts for 41 calls",
        looping.starts()
    );
    assert_eq!(looping.calls("echo"), 0);
}

pub(crate) fn crash_once() {
    let shaky = StdioBackend::new(&["--crash-once"]);
    let gateway = Setup::backends(json!({"shaky": shaky.config()})).start();
    until("the second start works", || {
        gateway
            .invoke("shaky", "echo", json!({}))
            .is_good()
            .then_some(())
    });
    assert_eq!(
        shaky.calls("echo"),
        1,
        "no call is lost in a start that failed and sent again"
    );
}

/// A breaker that opens at the fifth failure and looks again soon.
pub(crate) fn quick_breaker() -> Value {
    json!({"failure_threshold": 5, "success_threshold": 1, "reset_timeout": "200ms", "max_reset_timeout": "400ms"})
}

pub(crate) fn probe_respawns() {
    let mortal = StdioBackend::new(&[]);
    let mut config = mortal.config();
    config["circuit_breaker"] = quick_breaker();
    let gateway = Setup::backends(json!({"mortal": config})).start();
    until("the breaker opens", || {
        gateway.invoke("mortal", "exit_now", json!({}));
        (gateway.circuit("mortal") == "Open").then_some(())
    });
    let reply = gateway.invoke("mortal", "echo", json!({}));
    assert_eq!(reply.refusal(), "CIRCUIT_OPEN", "{reply:?}");
    until("a probe starts the child and closes the breaker", || {
        gateway
            .invoke("mortal", "echo", json!({}))
            .is_good()
            .then_some(())
    });
    assert_eq!(gateway.circuit("mortal"), "Closed");
}

pub(crate) fn probe_reinitialises() {
    let mut server = HttpBackend::start();
    let mut config = server.config();
    config["circuit_breaker"] = quick_breaker();
    let gateway = Setup::backends(json!({"server": config})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.close();
    until("the breaker opens", || {
        gateway.invoke("server", "echo", json!({}));
        (gateway.circuit("server") == "Open").then_some(())
    });
    server.reopen();
    until("a probe opens a session and closes the breaker", || {
        gateway
            .invoke("server", "echo", json!({}))
            .is_good()
            .then_some(())
    });
    assert_eq!(gateway.circuit("server"), "Closed");
    assert!(server.asked("initialize") >= 2);
}

pub(crate) fn killed_refused_recovered() {
    let mut server = HttpBackend::start();
    let mut config = server.config();
    config["circuit_breaker"] = quick_breaker();
    config["retry"] = json!({"enabled": false});
    let gateway = Setup::backends(json!({"server": config})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.close();
    for failure in 1..=5 {
        assert_eq!(
            gateway.circuit("server"),
            "Closed",
            "before failure {failure}"
        );
        let reply = gateway.invoke("server", "echo", json!({}));
        assert_eq!(reply.refusal(), "BACKEND_UNREACHABLE", "{reply:?}");
    }
    let refused = gateway.invoke("server", "echo", json!({}));
    assert_eq!(refused.refusal(), "CIRCUIT_OPEN", "{refused:?}");
    assert!(refused.recovery()["retry_after_ms"].as_u64().unwrap() <= 400);
    gateway.logged(&[
        "WARN",
        "Circuit breaker opened",
        "server",
        "failures=5",
        "retry_in",
    ]);
    assert_eq!(
        gateway.sample(r#"mcp_circuit_rejected_total{backend="server"}"#),
        Some(1.0)
    );
    server.reopen();
    until("it recovers", || {
        gateway
            .invoke("server", "echo", json!({}))
            .is_good()
            .then_some(())
    });
    gateway.logged(&["INFO", "Circuit breaker closed", "server", "open_for"]);
}
