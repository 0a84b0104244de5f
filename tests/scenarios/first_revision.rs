//! Servers of the first revision, which have one event stream and an address to post to.

use serde_json::json;

use crate::support::{Begins, Gateway, Setup, SseBackend, until};

fn before(backend: &SseBackend) -> Gateway {
    Setup::config(json!({"backends": {"old": backend.config()}})).start()
}

pub(crate) fn url_alone() {
    let backend = SseBackend::start(Begins::Well);
    let gateway = before(&backend);
    let session = gateway.session("/mcp/old");
    assert_eq!(session.call("echo", json!({})).said(), "echo");
    assert_eq!(backend.received("initialize").len(), 2, "asked, then found");
    let servers = gateway.ask("gateway_list_servers", json!({})).result();
    assert_eq!(servers["servers"][0]["transport"], "sse");
    let list = session.ask("resources/list", json!({})).result();
    assert_eq!(list["resources"][0]["uri"], "memo:///one");
}

pub(crate) fn answers_in_any_order() {
    let backend = SseBackend::start(Begins::Well);
    let gateway = before(&backend);
    let one = gateway.session("/mcp/old");
    let two = gateway.session("/mcp/old");
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| one.call("slow", json!({})).said());
        until("the slow call to arrive", || {
            (backend.received("tools/call").len() == 1).then_some(())
        });
        assert_eq!(two.call("fast", json!({})).said(), "fast");
        assert!(!slow.is_finished());
        assert_eq!(slow.join().unwrap(), "slow");
    });
}

pub(crate) fn comes_back() {
    let backend = SseBackend::start(Begins::Well);
    let gateway = before(&backend);
    let session = gateway.session("/mcp/old");
    std::thread::scope(|scope| {
        let lost = scope.spawn(|| session.call("mute", json!({})).said());
        until("the call to arrive", || {
            (backend.received("tools/call").len() == 1).then_some(())
        });
        backend.hang_up();
        let said = lost.join().unwrap();
        assert!(said.contains("event stream"), "{said}");
        assert!(
            !said.contains("child") && !said.contains("process"),
            "{said}"
        );
    });
    assert_eq!(session.call("echo", json!({})).said(), "echo");
    assert_eq!(backend.received("tools/call").len(), 2, "sent once each");
}

pub(crate) fn posts_to_nobody_else() {
    let backend = SseBackend::start(Begins::Elsewhere);
    let gateway = before(&backend);
    let recovery = gateway.invoke("old", "echo", json!({})).recovery();
    let message = recovery["message"].as_str().unwrap();
    assert!(message.contains("another host"), "{message}");
}
