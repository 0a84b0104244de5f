//! The breaker at its edges: the stampede at half-open, results from before the trip, a long good past, a clock that jumps.

use std::{process::Command, sync::Barrier, thread, time::Duration};

use mcp_gateway::failsafe::{CircuitBreaker, CircuitBreakerConfig, CircuitState};
use serde_json::json;

use crate::support::{Gateway, HttpBackend, Mood, Reply, Setup, until};

/// Opens the breaker of `server` by failing it as often as it takes.
fn open(gateway: &Gateway, server: &HttpBackend) {
    server.feel(Mood::Status(503, ""));
    until("the breaker opens", || {
        gateway.invoke("server", "echo", json!({}));
        (gateway.circuit("server") == "Open").then_some(())
    });
}

/// Waits as long as a refusal says, as a caller would.
fn wait_as_told(gateway: &Gateway) {
    let refused = gateway.invoke("server", "echo", json!({}));
    assert_eq!(refused.refusal(), "CIRCUIT_OPEN", "{refused:?}");
    let wait = refused.recovery()["retry_after_ms"].as_u64().unwrap();
    thread::sleep(Duration::from_millis(wait + 1));
}

pub(crate) fn stampede() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["max_concurrency"] = json!(256);
    config["circuit_breaker"] = json!({"failure_threshold": 3, "success_threshold": 2, "half_open_max_calls": 2,
        "reset_timeout": "1s", "max_reset_timeout": "1s"});
    let gateway = &Setup::backends(json!({"server": config})).start();
    open(gateway, &server);
    wait_as_told(gateway);
    let before = server.arrivals("echo");
    server.feel(Mood::Hanging);
    let barrier = &Barrier::new(200);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..200)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    gateway.invoke("server", "echo", json!({}))
                })
            })
            .collect();
        until("all but the probes are refused", || {
            (callers.iter().filter(|caller| caller.is_finished()).count() == 198).then_some(())
        });
        // They open another session first.
        let probes = || server.arrivals("echo") - before;
        until("the probes arrive", || (probes() >= 2).then_some(()));
        assert_eq!(probes(), 2, "exactly the configured probes");
        assert_eq!(gateway.circuit("server"), "HalfOpen");
        server.feel(Mood::Well);
        let replies: Vec<Reply> = callers
            .into_iter()
            .map(|caller| caller.join().unwrap())
            .collect();
        let refused = |reply: &&Reply| reply.refusal() == "CIRCUIT_OPEN";
        assert_eq!(replies.iter().filter(refused).count(), 198);
        assert_eq!(replies.iter().filter(|reply| reply.is_good()).count(), 2);
    });
    assert_eq!(gateway.circuit("server"), "Closed");
}

pub(crate) fn late_result() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["circuit_breaker"] =
        json!({"failure_threshold": 3, "success_threshold": 1, "reset_timeout": "100ms"});
    let gateway = &Setup::backends(json!({"server": config})).start();
    assert!(gateway.invoke("server", "echo", json!({})).is_good());
    server.feel_about("sse_plain", Mood::Hanging);
    thread::scope(|scope| {
        let late = scope.spawn(|| gateway.invoke("server", "sse_plain", json!({})));
        until("the late call is admitted", || {
            (server.calls("sse_plain") == 1).then_some(())
        });
        open(gateway, &server);
        server.feel(Mood::Well);
        until("the breaker closes again", || {
            gateway
                .invoke("server", "echo", json!({}))
                .is_good()
                .then_some(())
        });
        assert_eq!(gateway.circuit("server"), "Closed");
        server.feel_about("sse_plain", Mood::HangingUp);
        assert!(!late.join().unwrap().is_good());
    });
    server.feel(Mood::HangingUp);
    for failure in 1..=2 {
        gateway.invoke("server", "echo", json!({}));
        assert_eq!(
            gateway.circuit("server"),
            "Closed",
            "after {failure} failures of its own"
        );
    }
    gateway.invoke("server", "echo", json!({}));
    assert_eq!(
        gateway.circuit("server"),
        "Open",
        "the third, and the late one was not among them"
    );
}

pub(crate) fn long_good_past() {
    let breaker = CircuitBreaker::new("old", &CircuitBreakerConfig::default());
    for _ in 0..1_000_000 {
        breaker.record_success();
    }
    for failure in 1..=5 {
        assert_eq!(
            breaker.state(),
            CircuitState::Closed,
            "before failure {failure}"
        );
        breaker.record_failure();
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}

pub(crate) fn good_past_outside() {
    let server = HttpBackend::start();
    let mut config = server.config();
    config["retry"] = json!({"enabled": false});
    let gateway = Setup::backends(json!({"server": config})).start();
    for _ in 0..500 {
        assert!(gateway.invoke("server", "echo", json!({})).is_good());
    }
    server.feel(Mood::Status(503, ""));
    for failure in 1..=5 {
        assert_eq!(
            gateway.circuit("server"),
            "Closed",
            "before failure {failure}"
        );
        gateway.invoke("server", "echo", json!({}));
    }
    assert_eq!(gateway.circuit("server"), "Open");
}

/// Moves the wall clock of one process by the seconds that stand in the file `WALL_OFFSET`.
const WALL_CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    const char *path = getenv("WALL_OFFSET");
    FILE *file = id == CLOCK_REALTIME && path ? fopen(path, "r") : NULL;
    long offset = 0;
    if (file) {
        if (fscanf(file, "%ld", &offset) == 1) now->tv_sec += offset;
        fclose(file);
    }
    return result;
}
"#;

pub(crate) fn wall_clock_jumps() {
    let home = tempfile::TempDir::new().unwrap();
    let (source, library) = (home.path().join("wall.c"), home.path().join("wall.so"));
    let offset = home.path().join("offset");
    std::fs::write(&source, WALL_CLOCK).unwrap();
    std::fs::write(&offset, "0").unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status()
        .unwrap();
    assert!(
        built.success(),
        "cc, which links every Rust program, builds the clock"
    );
    let server = HttpBackend::start();
    let mut config = server.config();
    config["circuit_breaker"] = json!({"failure_threshold": 3, "success_threshold": 1, "reset_timeout": "1s", "max_reset_timeout": "1s"});
    let gateway = Setup::backends(json!({"server": config}))
        .env("LD_PRELOAD", library.to_str().unwrap())
        .env("WALL_OFFSET", offset.to_str().unwrap())
        .start();
    open(&gateway, &server);
    std::fs::write(&offset, "-3600").unwrap();
    server.feel(Mood::Well);
    let refused = gateway.invoke("server", "echo", json!({}));
    assert!(
        refused.recovery()["retry_after_ms"].as_u64().unwrap() <= 1000,
        "{refused:?}"
    );
    until("recovery is on time", || {
        gateway
            .invoke("server", "echo", json!({}))
            .is_good()
            .then_some(())
    });
    std::fs::write(&offset, "3600").unwrap();
    open(&gateway, &server);
    let refused = gateway.invoke("server", "echo", json!({}));
    assert_eq!(
        refused.refusal(),
        "CIRCUIT_OPEN",
        "an hour forward does not cut it short"
    );
}
