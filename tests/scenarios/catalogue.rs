//! What is listed: hung backends, late tools, pages, and health checks that leave busy backends alone.

use serde_json::{Value, json};

use crate::support::{Gateway, Setup, StdioBackend, until};

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
