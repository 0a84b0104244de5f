//! When a configuration is read again, and what is said of one that does not hold, or not yet.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::Child,
};

use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
};
use serde_json::json;

use super::reload::{CHANGED, described, ends, pid, taken_over, tools};
use crate::support::{Setup, StdioBackend, message, until};

pub(crate) fn broken_file() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({"backend": backend.config()})).start();
    let before = pid(&gateway, "backend");
    let loaded = gateway.json("/health")["config"]["loaded_ms"]
        .as_u64()
        .unwrap();
    gateway.write(
        "gateway.yaml",
        "server: {prot: 1}\nbackends: {a: {command: x, timeout: never}}\n",
    );
    let line = gateway.logged(&["WARN", "Configuration refused", "a file changed"]);
    let refused = gateway.reload();
    let health = gateway.json("/health");
    let why = health["config"]["last_reload_error"].as_str().unwrap();
    for said in [&refused.said(), why, &line] {
        assert!(
            said.contains("gateway.yaml:1:10: unknown key `server.prot`"),
            "{said}"
        );
        assert!(said.contains("`backends.a.timeout`"), "{said}");
    }
    assert_eq!(refused.code(), -32000);
    assert_eq!(health["status"], "healthy", "what runs is well");
    assert_eq!(health["config"]["loaded_ms"], loaded);
    assert_eq!(pid(&gateway, "backend"), before);
    gateway.configure(&json!({"backends": {"backend": backend.config()}}));
    until("the mended file holds", || {
        let config = gateway.json("/health")["config"].clone();
        config.get("last_reload_error").is_none().then_some(())
    });
    assert_eq!(pid(&gateway, "backend"), before);
    let warnings = gateway
        .log()
        .into_iter()
        .filter(|line| line.contains("Configuration refused"));
    assert_eq!(warnings.count(), 2, "one for each reading");
}

pub(crate) fn hangup() {
    let gateway = Setup::backends(json!({})).start();
    gateway.signal(Signal::HUP);
    gateway.logged(&["INFO", "Configuration reloaded", "SIGHUP"]);
    assert_eq!(gateway.page("/livez").status, 200);
}

/// A terminal, and the end of it that a program takes for its standard error.
fn terminal() -> (File, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap());
    (ours.into(), theirs.unwrap())
}

/// A child that does not outlive its situation.
struct Bounded(Child);

impl Drop for Bounded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) fn terminal_closed() {
    let setup = Setup::backends(json!({})).arg("--port").arg("0");
    let (ours, theirs) = terminal();
    let mut gateway = Bounded(setup.command().stderr(theirs).spawn().unwrap());
    let pid = Pid::from_raw(i32::try_from(gateway.0.id()).unwrap()).unwrap();
    let mut shown = BufReader::new(ours).lines();
    let mut shows = |text: &str| while !shown.next().unwrap().unwrap().contains(text) {};
    shows("listens on");
    kill_process(pid, Signal::HUP).unwrap();
    shows("Configuration reloaded");
    drop(shown);
    // A child of another situation that has not begun its program yet may hold the terminal open for a moment.
    let ended = until("it ends with its terminal", || {
        let ended = gateway.0.try_wait().unwrap();
        if ended.is_none() {
            kill_process(pid, Signal::HUP).unwrap();
        }
        ended
    });
    assert_eq!(ended.code(), Some(0));
}

pub(crate) fn watched_file() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({})).start();
    gateway.configure(&json!({"backends": {"backend": backend.config()}}));
    gateway.logged(&[
        "INFO",
        "Configuration reloaded",
        "a file changed",
        "backend",
    ]);
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    let reloads = || {
        let log = gateway.log().into_iter();
        log.filter(|line| line.contains("Configuration reloaded"))
            .count()
    };
    gateway.configure(&json!({"backends": {"backend": described(&backend, "new")}}));
    until("it is read once more", || (reloads() == 2).then_some(()));
}

pub(crate) fn env_file() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    config["env"] = json!({"WORD": "${WORD:-none}"});
    let config = json!({"env_files": ["words.env"], "backends": {"backend": config}});
    let gateway = Setup::config(config).start();
    let before = pid(&gateway, "backend");
    gateway.write("words.env", "WORD=one\n");
    gateway.logged(&[
        "INFO",
        "Configuration reloaded",
        "a file changed",
        "changed=[\"backend\"]",
    ]);
    assert_ne!(pid(&gateway, "backend"), before);
    ends(before);
    gateway.write("words.env", "WORD\n");
    gateway.logged(&["WARN", "Configuration refused", "words.env:1:1"]);
}

pub(crate) fn file_appears() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::unconfigured().start();
    assert!(
        gateway
            .invoke("demo", "echo", json!({"message": "hi"}))
            .is_good()
    );
    gateway.configure(&json!({"backends": {"backend": backend.config()}}));
    gateway.logged(&["INFO", "Configuration reloaded", "a file changed"]);
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    assert_eq!(gateway.invoke("demo", "echo", json!({})).code(), -32001);
}

pub(crate) fn needs_restart() {
    let backend = StdioBackend::new(&[]);
    let gateway = Setup::backends(json!({})).start();
    gateway.configure(&json!({
        "server": {"host": "127.0.0.2"},
        "telemetry": {
            "traces": {"endpoint": "http://127.0.0.1:9"},
            "webhook": {"url": "http://127.0.0.1:9/", "headers": {"x-key": "k3y"}},
        },
        "backends": {"backend": backend.config()},
        "webhooks": {},
    }));
    let result = taken_over(&gateway);
    let named = ["server.host", "telemetry.traces", "telemetry.webhook"];
    assert_eq!(result["needs_restart"], json!(named));
    assert!(
        result["warnings"][0]
            .as_str()
            .unwrap()
            .contains("`webhooks`")
    );
    for setting in named {
        let quoted = format!("\"{setting}\"");
        gateway.logged(&["WARN", "takes effect at the next start", &quoted]);
    }
    assert!(
        gateway.invoke("backend", "echo", json!({})).is_good(),
        "the rest holds"
    );
    let open = json!({"host": "0.0.0.0"});
    gateway.configure(&json!({"server": open, "backends": {}}));
    assert_eq!(taken_over(&gateway)["removed"], json!(["backend"]));
}

pub(crate) fn settings_of_the_whole() {
    let backend = StdioBackend::new(&[]);
    let backends = json!({"backend": backend.config()});
    let gateway = Setup::backends(backends.clone()).start();
    let session = gateway.session("/mcp");
    assert!(tools(&session).contains(&"gateway_invoke".to_owned()));
    let mut events = session.listen();
    gateway.configure(&json!({
        "backends": backends,
        "server": {"max_body_size": 2000, "request_timeout": "200ms"},
        "meta_mcp": {"enabled": false, "naming": "plain"},
    }));
    assert_eq!(taken_over(&gateway)["unchanged"], 1);
    let event = events.next().unwrap().unwrap();
    assert!(event.contains(CHANGED), "{event}");
    until("plain tools are listed", || {
        tools(&session).contains(&"echo".to_owned()).then_some(())
    });
    let long = json!({"message": "x".repeat(2000)});
    let body = message(
        json!(1),
        "tools/call",
        &json!({"name": "echo", "arguments": long}),
    );
    assert_eq!(session.send(&body).status, 413);
    let slow = session.call("sleep", json!({"ms": 10_000}));
    assert_eq!(slow.refusal(), "BACKEND_TIMEOUT", "{slow:?}");
}
