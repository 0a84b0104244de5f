//! What must not grow, and what must agree.

use serde_json::json;

use crate::support::{HttpBackend, Mood, Request, Setup, StdioBackend, open_files, until};

/// The names and labels of all samples, without their values.
fn series(metrics: &str) -> Vec<String> {
    metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, _)| name.to_owned())
        .collect()
}

pub(crate) fn random_names() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let round = |number: u32| {
        gateway.ask(&format!("random/method{number}"), json!({}));
        gateway.ask(
            "tools/call",
            json!({"name": format!("random_tool_{number}")}),
        );
        gateway.invoke("backend", &format!("random_tool_{number}"), json!({}));
        gateway.invoke(&format!("random_server_{number}"), "echo", json!({}));
        gateway.page(&format!("/random/path/{number}"));
        gateway.send(&Request::post(&format!("/mcp/random_{number}"), "{}"));
    };
    (0..20).for_each(round);
    let before = series(&gateway.page("/metrics").text());
    (20..120).for_each(round);
    let after = series(&gateway.page("/metrics").text());
    assert_eq!(before, after);
    assert!(
        after.iter().all(|name| !name.contains("random")),
        "{after:#?}"
    );
}

pub(crate) fn sessions_opened_and_dropped() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let round = || {
        let session = gateway.session("/mcp/backend");
        assert!(session.call("echo", json!({})).is_good());
        drop(session.listen());
        assert_eq!(session.end().status / 100, 2);
    };
    (0..10).for_each(|_| round());
    let files = open_files(gateway.pid());
    (0..100).for_each(|_| round());
    until("files and sockets come back", || {
        (open_files(gateway.pid()) <= files + 8).then_some(())
    });
    until("the count comes back", || {
        (gateway.sample("mcp_sessions") == Some(0.0)).then_some(())
    });
    assert_eq!(backend.starts(), 1);
}

pub(crate) fn idle_session() {
    let config = json!({"streaming": {"session_ttl": "300ms", "session_reaper_interval": "50ms"}, "backends": {}});
    let gateway = Setup::config(config).start();
    let session = gateway.session("/mcp");
    until("an idle session is ended", || {
        (gateway.sample("mcp_sessions") == Some(0.0)).then_some(())
    });
    let late = session.send(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    assert_eq!(late.status, 404);
}

pub(crate) fn all_views_agree() {
    let server = HttpBackend::start();
    let gateway = Setup::backends(json!({"server": server.config()})).start();
    let views = || {
        let health = gateway.json("/health")["backends"]["server"]["circuit_state"].clone();
        let metric = gateway.sample(r#"mcp_circuit_state{backend="server"}"#);
        (
            health.as_str().unwrap().to_owned(),
            metric,
            gateway.circuit("server"),
        )
    };
    assert_eq!(
        views(),
        ("Closed".to_owned(), Some(0.0), "Closed".to_owned())
    );
    server.feel(Mood::Status(503, ""));
    until("the log says that it opened", || {
        gateway.invoke("server", "echo", json!({}));
        let opened = |line: &String| line.contains("Circuit breaker opened");
        gateway.log().iter().any(opened).then_some(())
    });
    assert_eq!(views(), ("Open".to_owned(), Some(2.0), "Open".to_owned()));
}
