//! What is listed: hung backends, late tools, pages, tools that are left out, and health checks that leave busy backends alone.

use serde_json::{Value, json};

use crate::{
    reload::{CHANGED, taken_over, tools},
    support::{Gateway, Reply, Setup, StdioBackend, until},
};

const TOOLS: usize = 23;

fn total(gateway: &Gateway, server: &str) -> Value {
    gateway
        .ask("gateway_list_tools", json!({"server": server}))
        .result()["total"]
        .clone()
}

pub(crate) fn busy_is_alive() {
    let busy = StdioBackend::new(&["--serial"]);
    let health = json!({"enabled": true, "interval": "100ms", "timeout": "100ms"});
    let config = json!({"failsafe": {"health_check": health}, "backends": {"busy": busy.config()}});
    let gateway = Setup::config(config).start();
    let reply = gateway.invoke("busy", "sleep", json!({"ms": 6000}));
    assert_eq!(reply.said(), "slept");
    assert_eq!(busy.starts(), 1);
    assert_eq!(gateway.circuit("busy"), "Closed");
    assert_eq!(gateway.health("busy")["healthy"], true);
}

pub(crate) fn no_ping_is_alive() {
    let quiet = StdioBackend::new(&["--no-ping"]);
    let health = json!({"enabled": true, "interval": "50ms", "timeout": "2s"});
    let config =
        json!({"failsafe": {"health_check": health}, "backends": {"quiet": quiet.config()}});
    let gateway = Setup::config(config).start();
    assert!(gateway.invoke("quiet", "echo", json!({})).is_good());
    until("silence is filled", || {
        (!quiet.received("ping").is_empty()).then_some(())
    });
    assert_eq!(gateway.circuit("quiet"), "Closed");
    assert_eq!(gateway.health("quiet")["healthy"], true);
    assert_eq!(quiet.starts(), 1);
}

pub(crate) fn one_of_many_hangs() {
    let hung = StdioBackend::new(&["--hang-list"]);
    let well: Vec<_> = (0..5).map(|_| StdioBackend::new(&[])).collect();
    let mut backends = json!({"hung": hung.config()});
    for (number, backend) in well.iter().enumerate() {
        backends[format!("well{number}")] = backend.config();
    }
    let gateway = Setup::backends(backends).start();
    let reply = gateway.ask("gateway_list_tools", json!({}));
    assert_eq!(reply.result()["tools"].as_array().unwrap().len(), 5 * TOOLS);
    assert!(
        reply.text.contains("hung"),
        "names the missing one: {}",
        reply.text
    );
    let reply = gateway.ask("gateway_search_tools", json!({"query": "scripted echo"}));
    assert!(reply.result()["matches"].as_array().unwrap().len() >= 5);
}

pub(crate) fn late_tools() {
    let late = StdioBackend::new(&["--late-tools"]);
    let config = json!({"meta_mcp": {"enabled": false}, "backends": {"late": late.config()}});
    let gateway = Setup::config(config).start();
    let session = gateway.session("/mcp");
    let tools = |session: &crate::support::Session| {
        let result = session.ask("tools/list", json!({})).result();
        result["tools"].as_array().unwrap().len()
    };
    assert_eq!(tools(&session), 0);
    let mut events = session.listen();
    let direct = gateway.session("/mcp/late");
    assert!(direct.call("reveal", json!({})).is_good());
    let told = events.next().unwrap().unwrap();
    assert!(told.contains("notifications/tools/list_changed"), "{told}");
    until("the tools are listed", || {
        (tools(&session) == TOOLS).then_some(())
    });
}

pub(crate) fn other_tools_after_a_restart() {
    let backend = StdioBackend::new(&["--grows"]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let knows = || {
        let listed = gateway.ask("gateway_list_tools", json!({"server": "backend"}));
        listed.text.contains("\"second_life\"")
    };
    assert!(!knows());
    assert!(!gateway.invoke("backend", "exit_now", json!({})).is_good());
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    until("the tools of its second life are listed", || {
        knows().then_some(())
    });
}

pub(crate) fn pages() {
    let paged = StdioBackend::new(&["--pages=3"]);
    let gateway = Setup::backends(json!({"paged": paged.config()})).start();
    assert_eq!(total(&gateway, "paged"), TOOLS);
    let session = gateway.session("/mcp/paged");
    let first = session.ask("tools/list", json!({})).result();
    assert_eq!(
        first["nextCursor"], "1",
        "the direct route passes pages through"
    );
    let second = session.ask("tools/list", json!({"cursor": "1"})).result();
    assert_eq!(second["nextCursor"], "2");
    assert_ne!(first["tools"], second["tools"]);
}

pub(crate) fn endless_pages() {
    let endless = StdioBackend::new(&["--endless-pages"]);
    let gateway = Setup::backends(json!({"endless": endless.config()})).start();
    assert_eq!(
        total(&gateway, "endless"),
        TOOLS,
        "a cursor that repeats itself ends the list"
    );
    assert!(endless.received("tools/list").len() < 1000);
    assert!(gateway.invoke("endless", "echo", json!({})).is_good());
}

/// A backend of which these globs say what is shown.
fn showing(backend: &StdioBackend, globs: Value) -> Value {
    let mut config = backend.config();
    config["tools"] = globs;
    config
}

/// What each element of a list says under `key`, in order.
fn sorted(list: &Value, key: &str) -> Vec<String> {
    let elements = list.as_array().unwrap().iter();
    let mut said: Vec<_> = elements
        .map(|element| element[key].as_str().unwrap().to_owned())
        .collect();
    said.sort();
    said
}

pub(crate) fn left_out() {
    let backend = StdioBackend::new(&[]);
    let globs = json!({"include": ["e*", "who?mi"], "exclude": ["exit_*"]});
    let gateway = Setup::backends(json!({"backend": showing(&backend, globs)})).start();
    let shown = ["echo", "whoami"];
    for asked in [json!({}), json!({"server": "backend"})] {
        let listed = gateway.ask("gateway_list_tools", asked).result();
        assert_eq!(sorted(&listed["tools"], "name"), shown);
        assert_eq!(listed["total"], 2);
    }
    let servers = gateway.ask("gateway_list_servers", json!({})).result();
    assert_eq!(servers["servers"][0]["tools_count"], 2);
    let found = |query: &str| {
        gateway
            .ask("gateway_search_tools", json!({"query": query}))
            .result()
    };
    assert_eq!(
        sorted(&found("exit now echo whoami")["matches"], "tool"),
        shown
    );
    let none = found("sleep");
    assert_eq!(
        (&none["total"], &none["suggestions"]),
        (&json!(0), &json!(shown))
    );
    refused_as_unknown(&gateway);
    assert_eq!((backend.calls("sleep"), backend.calls("exit_now")), (0, 0));
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    let direct = gateway.session("/mcp/backend");
    assert_eq!(
        tools(&direct).len(),
        TOOLS,
        "its own endpoint shows it as it is"
    );
    assert!(direct.call("sleep", json!({})).is_good());
}

/// Every way to call a tool on `/mcp` ends with one that is left out as it does with one that nobody has.
fn refused_as_unknown(gateway: &Gateway) {
    let session = gateway.session("/mcp");
    let ways: [&dyn Fn(&str) -> Reply; 4] = [
        &|tool| gateway.invoke("backend", tool, json!({})),
        &|tool| gateway.ask("gateway_invoke", json!({"tool": format!("backend:{tool}")})),
        &|tool| session.call(&format!("backend:{tool}"), json!({})),
        &|tool| session.call(&format!("backend__{tool}"), json!({})),
    ];
    for way in ways {
        let unknown = way("nobody_has_it");
        for tool in ["sleep", "exit_now"] {
            let refused = way(tool);
            assert_eq!(refused.error()["code"], unknown.error()["code"], "{tool}");
            let named = refused.text.matches(tool).count();
            let expected = unknown.text.matches("nobody_has_it").count();
            assert_eq!(named, expected, "{}", refused.text);
        }
        let mistyped = way("slepe").text;
        assert!(!mistyped.contains("sleep"), "{mistyped}");
        let mistyped = way("ehco").text;
        assert!(mistyped.contains("echo"), "{mistyped}");
    }
}

pub(crate) fn shown_anew() {
    let backend = StdioBackend::new(&[]);
    let config = |globs: Value| {
        let backends = json!({"backend": showing(&backend, globs)});
        json!({"meta_mcp": {"enabled": false}, "backends": backends})
    };
    let gateway = Setup::config(config(json!({"include": ["echo"]}))).start();
    let (session, direct) = (gateway.session("/mcp"), gateway.session("/mcp/backend"));
    assert_eq!(tools(&session), ["backend__echo"]);
    let child = direct.call("whoami", json!({})).said();
    let counted = gateway.health("backend")["success_count"].as_u64().unwrap();
    let mut events = session.listen();
    gateway.configure(&config(json!({"exclude": ["echo"]})));
    assert_eq!(taken_over(&gateway)["unchanged"], 1);
    while !events.next().unwrap().unwrap().contains(CHANGED) {}
    let names = tools(&session);
    assert_eq!(names.len(), TOOLS - 1);
    assert!(!names.contains(&"backend__echo".to_owned()));
    assert_eq!(session.call("backend__whoami", json!({})).said(), child);
    assert_eq!(gateway.health("backend")["success_count"], counted + 1);
    assert!(direct.call("echo", json!({})).is_good());
    assert_eq!(backend.starts(), 1);
}
