//! When does a backend hear how much its client wants logged?

use serde_json::json;

use crate::support::{HttpBackend, Setup};

pub(crate) fn before_the_client_has_its_answer() {
    let backend = HttpBackend::start();
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    // Levels are told to backends that run.
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    for path in ["/mcp", "/mcp/backend"] {
        let session = gateway.session(path);
        for times in 1..=20 {
            let heard = backend.asked("logging/setLevel");
            let set = session.ask("logging/setLevel", json!({"level": "error"}));
            assert!(set.is_good(), "{set:?}");
            assert_eq!(
                backend.asked("logging/setLevel"),
                heard + 1,
                "{path}, {times}"
            );
        }
    }
}
