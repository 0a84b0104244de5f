//! The gateway ends: killed with nothing to say about it, or asked to stop.

use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Gateway, Setup, StdioBackend, is_alive, until};

fn family(gateway: &Gateway, backend: &StdioBackend, name: &str) -> Vec<u32> {
    let grandchild = gateway.invoke(name, "grandchild", json!({})).said();
    let mut family = backend.pids();
    family.push(grandchild.parse().unwrap());
    assert_eq!(family.len(), 2);
    assert!(family.iter().all(|&pid| is_alive(pid)), "{family:?}");
    family
}

fn all_end(family: &[u32]) {
    until("child and grandchild are gone", || {
        family.iter().all(|&pid| !is_alive(pid)).then_some(())
    });
}

/// The backend, run by a shell that makes it deaf to SIGTERM.
fn deaf(backend: &StdioBackend) -> Value {
    let (program, arguments) = backend.command();
    let script = format!("trap '' TERM; exec '{program}' \"$@\"");
    let mut args = vec!["-c".to_owned(), script, "sh".to_owned()];
    args.extend(arguments);
    json!({"command": "sh", "args": args})
}

pub(crate) fn killed() {
    let backend = StdioBackend::new(&[]);
    let mut gateway = Setup::backends(json!({"backend": deaf(&backend)})).start();
    let family = family(&gateway, &backend, "backend");
    gateway.signal(Signal::KILL);
    gateway.wait();
    all_end(&family);
}

pub(crate) fn killed_in_the_middle() {
    let backend = StdioBackend::new(&[]);
    let mut gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let family = family(&gateway, &backend, "backend");
    let address = gateway.address();
    thread::scope(|scope| {
        let session = gateway.session("/mcp/backend");
        let pending = scope.spawn(move || {
            let call = crate::support::message(json!(1), "tools/call", &json!({"name": "hang"}));
            session.post(&call).send(address).is_err()
        });
        until("the call hangs", || {
            (backend.calls("hang") == 1).then_some(())
        });
        gateway.signal(Signal::KILL);
        assert!(pending.join().unwrap());
    });
    gateway.wait();
    all_end(&family);
}

pub(crate) fn asked_to_stop() {
    let backend = StdioBackend::new(&[]);
    let mut gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let family = family(&gateway, &backend, "backend");
    let session = gateway.session("/mcp");
    let mut open = session.listen();
    assert_eq!(open.stream.status, 200);
    let slept = thread::scope(|scope| {
        let gateway = &gateway;
        let slept = scope.spawn(|| gateway.invoke("backend", "sleep", json!({"ms": 800})));
        until("the call is in flight", || {
            (backend.calls("sleep") == 1).then_some(())
        });
        gateway.signal(Signal::TERM);
        slept.join().unwrap()
    });
    assert_eq!(slept.said(), "slept", "calls in flight finish");
    assert_eq!(
        gateway.wait().code(),
        Some(0),
        "an open stream does not hold the exit"
    );
    while let Ok(Some(_)) = open.next() {}
    all_end(&family);
}

pub(crate) fn deaf_child() {
    let backend = StdioBackend::new(&[]);
    let config =
        json!({"server": {"shutdown_timeout": "1s"}, "backends": {"backend": deaf(&backend)}});
    let mut gateway = Setup::config(config).start();
    let family = family(&gateway, &backend, "backend");
    let address = gateway.address();
    let session = gateway.session("/mcp/backend");
    thread::scope(|scope| {
        let pending = scope.spawn(move || {
            let call = crate::support::message(json!(1), "tools/call", &json!({"name": "hang"}));
            let _ = session.post(&call).send(address);
        });
        until("the call hangs", || {
            (backend.calls("hang") == 1).then_some(())
        });
        gateway.signal(Signal::TERM);
        gateway.wait();
        pending.join().unwrap();
    });
    all_end(&family);
}

pub(crate) fn port_taken() {
    let first = Setup::backends(json!({})).start();
    let port = first.address().port().to_string();
    let ended = Setup::backends(json!({})).arg("--port").arg(&port).run();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.stderr.contains(&port),
        "names the port: {}",
        ended.stderr
    );
    assert_eq!(ended.stdout, "");
}
