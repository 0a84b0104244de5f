//! The session or child of its own that a client has whom a backend can ask: when it is there, and when it is gone.

use serde_json::{Value, json};

use crate::{
    asked::{Asking, askable, elicit, is_withdrawn, said},
    support::{
        Era, EraBackend, Gateway, Session, Setup, StdioBackend, Way, answer_of, is_alive,
        open_files, until,
    },
};

/// Asks and answers once; the client's own child or session is there then.
pub(crate) fn converse(client: &Session) {
    let mut events = client.stream(&Way::Direct.call(7, "ask", elicit(json!(0), "?")));
    let question = events.json();
    client.answer(&question, json!({"action": "decline"}));
    assert_eq!(said(&events.json())["result"]["action"], "decline");
}

/// The processes of a backend, once there are so many that run.
pub(crate) fn running(backend: &StdioBackend, count: usize) -> Vec<u32> {
    until(&format!("{count} children run"), || {
        let pids: Vec<_> = backend
            .pids()
            .into_iter()
            .filter(|&pid| is_alive(pid))
            .collect();
        (pids.len() == count).then_some(pids)
    })
}

pub(crate) fn ends_with_its_session() {
    let (child, http) = (
        StdioBackend::new(&["--asks"]),
        EraBackend::start(Era::Legacy),
    );
    let backends = json!({"child": child.config(), "backend": http.config()});
    let gateway = Setup::backends(backends).start();
    let client = gateway.client("/mcp", askable());
    for server in ["child", "backend"] {
        let arguments =
            json!({"server": server, "tool": "ask", "arguments": elicit(json!(0), "?")});
        let params = json!({"name": "gateway_invoke", "arguments": arguments});
        let call = crate::support::message(json!(server), "tools/call", &params);
        let mut events = client.stream(&call);
        let question = events.json();
        assert_eq!(question["method"], "elicitation/create");
    }
    let pids = running(&child, 2);
    assert_eq!(http.sessions().len(), 2);
    client.end();
    until("its child is gone", || {
        pids.iter().any(|&pid| !is_alive(pid)).then_some(())
    });
    running(&child, 1);
    until("its session is gone", || {
        (http.sessions().len() == 1).then_some(())
    });
    assert_eq!(gateway.sample("mcp_sessions"), Some(0.0));
    assert_eq!(gateway.health("child")["failure_count"], 0);
}

pub(crate) fn a_hundred_leave_nothing() {
    let http = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": http.config()})).start();
    let visit = |gateway: &Gateway| {
        let client = gateway.client("/mcp/backend", askable());
        converse(&client);
        client.end();
    };
    visit(&gateway);
    let at_rest = || (http.sessions().len() == 1).then(|| open_files(gateway.pid()));
    let before = until("nothing of the first is left", at_rest);
    for _ in 0..100 {
        visit(&gateway);
    }
    // A connection is closed a moment after its session, and a few more may be kept than one client needs.
    until("nothing of them is left", || {
        at_rest().filter(|after| *after <= before + 20)
    });
    assert_eq!(gateway.sample("mcp_sessions"), Some(0.0));
}

pub(crate) fn twenty_children_leave_nothing() {
    let child = StdioBackend::new(&["--asks"]);
    let gateway = Setup::backends(json!({"backend": child.config()})).start();
    let visit = |gateway: &Gateway| {
        let client = gateway.client("/mcp/backend", askable());
        converse(&client);
        client.end();
        running(&child, 1);
    };
    visit(&gateway);
    let before = open_files(gateway.pid());
    for _ in 0..20 {
        visit(&gateway);
    }
    assert_eq!(child.starts(), 22, "one that all share, and one for each");
    let after = open_files(gateway.pid());
    assert!(after <= before + 5, "{before} files, then {after}");
}

pub(crate) fn no_more_than_may_be() {
    for backend in Asking::legacy() {
        let mut config = json!({"backend": backend.config()});
        config["backend"]["max_client_sessions"] = json!(1);
        let gateway = Setup::backends(config).start();
        let first = gateway.client("/mcp/backend", askable());
        converse(&first);
        let second = gateway.client("/mcp/backend", askable());
        for _ in 0..3 {
            let answer = second.call("ask", elicit(json!(0), "?"));
            assert!(answer.said().contains("-32601"), "{}", answer.said());
        }
        gateway.logged(&["max_client_sessions"]);
        let log = gateway.log();
        let told = log
            .iter()
            .filter(|line| line.contains("max_client_sessions"));
        assert_eq!(
            told.filter(|line| line.contains("WARN")).count(),
            1,
            "{log:#?}"
        );
        converse(&first);
        first.end();
        converse(&second);
        assert_eq!(backend.received("initialize").len(), 3);
    }
}

pub(crate) fn roots_are_asked_for_at_the_start() {
    let backend = StdioBackend::new(&["--asks", "--asks-roots"]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let client = gateway.client("/mcp/backend", askable());
    let mut events = client.stream(&Way::Direct.call(7, "sleep", json!({"ms": 300})));
    let question = events.json();
    assert_eq!(question["method"], "roots/list");
    let roots = json!({"roots": [{"uri": "file:///home/anna"}]});
    client.answer(&question, roots);
    let answered = |result: &str| {
        backend.lines().iter().any(|line| {
            let line: Value = serde_json::from_str(line).unwrap_or_default();
            line["id"] == 0 && line[result].is_object() && line["method"].is_null()
        })
    };
    until("the backend knows the roots", || {
        answered("result").then_some(())
    });
    assert!(
        answered("error"),
        "the child that all share is told that there are none"
    );
    assert_eq!(events.json()["id"], 7);
    client.tell("notifications/roots/list_changed", &json!({}));
    until("its own child hears of it", || {
        (backend.received("notifications/roots/list_changed").len() == 1).then_some(())
    });
}

pub(crate) fn asked_outside_of_calls() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let clients = ["anna", "bert"].map(|_| gateway.client("/mcp/backend", askable()));
    for client in &clients {
        converse(client);
    }
    let mut streams = clients.each_ref().map(Session::listen);
    let owns = backend.listeners(3);
    for (client, (session, stream)) in clients.iter().zip(owns[1..].iter().zip(&mut streams)) {
        let answer = backend.ask(session, json!("r"), "roots/list");
        let mut question = stream.json();
        while question["method"] != "roots/list" {
            question = stream.json();
        }
        client.answer(&question, json!({"roots": [{"uri": session}]}));
        let answer = answer_of(&answer);
        assert_eq!(
            (&answer["id"], &answer["result"]["roots"][0]["uri"]),
            (&json!("r"), &json!(session))
        );
    }
    let nobody = backend.ask(&owns[0], json!(5), "roots/list");
    assert_eq!(
        answer_of(&nobody)["error"]["code"],
        -32601,
        "the session that all share"
    );
    let pinged = backend.ask(&owns[1], json!(6), "ping");
    assert_eq!(answer_of(&pinged)["result"], json!({}));
}

pub(crate) fn asked_outside_of_calls_and_cancelled() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let client = gateway.client("/mcp/backend", askable());
    converse(&client);
    let mut stream = client.listen();
    let owns = backend.listeners(2);
    backend.ask(&owns[1], json!("theirs"), "roots/list");
    let mut question = stream.json();
    while question["method"] != "roots/list" {
        question = stream.json();
    }
    let cancelled = "notifications/cancelled";
    for theirs in [&question["id"], &json!("theirs")] {
        backend.tell_one(&owns[1], cancelled, json!({"requestId": theirs}));
    }
    is_withdrawn(&stream.json(), &question);
}

pub(crate) fn asked_where_nobody_hears() {
    let backend = EraBackend::start(Era::Legacy);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let client = gateway.client("/mcp/backend", askable());
    converse(&client);
    let owns = backend.listeners(2);
    let answer = backend.ask(&owns[1], json!("r"), "roots/list");
    assert!(answer_of(&answer)["error"].is_object());
}

pub(crate) fn after_an_operator_s_stop() {
    for backend in Asking::legacy() {
        let gateway = backend.gateway();
        let client = gateway.client("/mcp/backend", askable());
        converse(&client);
        for method in ["gateway_kill_server", "gateway_revive_server"] {
            assert!(gateway.ask(method, json!({"server": "backend"})).is_good());
        }
        converse(&client);
    }
}
