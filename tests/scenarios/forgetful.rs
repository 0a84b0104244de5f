//! HTTP backends that restarted and know nothing of the session they opened.

use std::thread;

use serde_json::json;

use crate::support::{Forgetting, HttpBackend, Mood, Setup};

pub(crate) fn not_found() {
    forgets(Forgetting::NotFound);
}

pub(crate) fn in_own_words() {
    forgets(Forgetting::InOwnWords);
}

pub(crate) fn error_inside() {
    forgets(Forgetting::ErrorInside);
}

fn forgets(forgetting: Forgetting) {
    let server = HttpBackend::start();
    let gateway = Setup::backends(json!({"server": server.config()})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.forget(forgetting);
    let reply = gateway.invoke("server", "echo", json!({"message": "still here"}));
    assert_eq!(reply.said(), "still here");
    assert_eq!(server.asked("initialize"), 2, "one re-initialise");
    assert_eq!(
        server.calls("echo"),
        2,
        "refused before execution, so sent again, once"
    );
    assert_eq!(
        gateway.health("server")["failure_count"],
        0,
        "repaired, not broken"
    );
}

pub(crate) fn under_load() {
    let server = HttpBackend::start();
    let gateway = &Setup::backends(json!({"server": server.config()})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.forget(Forgetting::NotFound);
    thread::scope(|scope| {
        let calls: Vec<_> = (0..40)
            .map(|_| {
                scope.spawn(|| gateway.invoke("server", "echo", json!({"message": "one of many"})))
            })
            .collect();
        for call in calls {
            assert_eq!(call.join().unwrap().said(), "one of many");
        }
    });
    assert_eq!(
        server.asked("initialize"),
        2,
        "forty callers, one re-initialise"
    );
    assert_eq!(server.calls("echo"), 41, "each ran once");
}

pub(crate) fn may_have_run() {
    let server = HttpBackend::start();
    let gateway = Setup::backends(json!({"server": server.config()})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.feel(Mood::HangingUp);
    let reply = gateway.invoke("server", "echo", json!({}));
    assert_eq!(reply.refusal(), "BACKEND_UNREACHABLE", "{reply:?}");
    assert!(
        reply.said().contains("may"),
        "says that it may have taken effect: {}",
        reply.said()
    );
    assert_eq!(server.arrivals("echo"), 2, "not sent again");
}
