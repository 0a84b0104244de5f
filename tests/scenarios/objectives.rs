//! What a backend is held to: how fast the room for errors burns, where that is seen, and who is told.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::support::{Gateway, HttpBackend, Mood, Setup, Wire, until};

/// Takes alarms and keeps them.
struct Receiver {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    /// Listens for the rest of the test; every alarm must bear this credential.
    fn start(credential: &'static str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let taken = Arc::<Mutex<Vec<Value>>>::default();
        let kept = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming() {
                take(Wire::on(stream.unwrap()), credential, &kept);
            }
        });
        Self { address, taken }
    }

    /// Waits for an alarm about this backend.
    fn told(&self, event: &str, backend: &str) -> Value {
        until(&format!("{event} of {backend} is told"), || {
            let taken = self.taken.lock().unwrap();
            let found = |alarm: &&Value| alarm["event"] == event && alarm["backend"] == backend;
            taken.iter().find(found).cloned()
        })
    }
}

/// Takes alarms from one connection until it ends.
fn take(mut wire: Wire, credential: &str, kept: &Mutex<Vec<Value>>) {
    while let Some(arrived) = wire.receive() {
        assert_eq!(arrived.header("authorization"), Some(credential));
        let alarm = serde_json::from_str(&arrived.body).unwrap();
        kept.lock().unwrap().push(alarm);
        if wire.answer(200, "", "{}").is_err() {
            return;
        }
    }
}

fn call(gateway: &Gateway, backend: &str, times: usize) {
    for _ in 0..times {
        gateway.invoke(backend, "echo", json!({}));
    }
}

fn is(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 1e-6 * expected.abs().max(1.0))
}

pub(crate) fn burn_rates() {
    let backend = HttpBackend::start();
    let slo = json!({
        "availability": 99,
        "latency": {"threshold": "1h", "objective": 90},
        "tools": {"echo": {"availability": 95}},
    });
    let gateway = Setup::config(json!({
        "failsafe": {"retry": {"enabled": false}, "circuit_breaker": {"enabled": false}},
        "backends": {"backend": {"http_url": backend.url(), "slo": slo}},
    }))
    .start();
    call(&gateway, "backend", 12);
    backend.feel(Mood::Status(500, ""));
    call(&gateway, "backend", 6);
    // What others did wrong is not the backend's.
    backend.feel(Mood::Status(403, ""));
    call(&gateway, "backend", 5);
    let count = |outcome: &str| {
        let name =
            format!("mcp_backend_requests_total{{backend=\"backend\",outcome=\"{outcome}\"}}");
        gateway.sample(&name).unwrap_or(0.0)
    };
    let (good, bad) = (count("success"), count("server_error"));
    assert!(good >= 12.0 && is(Some(bad), 6.0), "{good} {bad}");
    let rate = |tool: &str, slo: &str, window: &str| {
        gateway.sample(&format!(
            "mcp_slo_burn_rate{{backend=\"backend\",tool=\"{tool}\",slo=\"{slo}\",window=\"{window}\"}}"
        ))
    };
    let expected = bad / (good + bad) / 0.01;
    for window in ["5m", "30m", "1h", "2h", "6h", "1d", "3d"] {
        let found = rate("", "availability", window);
        assert!(is(found, expected), "{window}: {found:?}, not {expected}");
    }
    // Twelve of eighteen calls of the tool, held to 95 %.
    assert!(is(rate("echo", "availability", "5m"), 6.0 / 18.0 / 0.05));
    assert!(is(rate("", "latency", "1h"), 0.0));
    let left = gateway.sample(
        "mcp_slo_error_budget_remaining{backend=\"backend\",tool=\"\",slo=\"availability\"}",
    );
    assert!(is(left, 1.0 - expected), "{left:?}");
    let page = gateway.json("/readyz?verbose");
    assert_eq!(page["status"], "ready");
    let objectives = page["objectives"].as_array().unwrap();
    assert_eq!(objectives.len(), 3, "{page}");
    assert_eq!(objectives[0]["slo"], "availability");
    assert_eq!(objectives[0]["burning"], true);
    assert!(is(
        objectives[0]["burn_rates"][0]["rate"].as_f64(),
        expected
    ));
    assert_eq!(gateway.json("/readyz"), json!({"status": "ready"}));
    gateway.logged(&[
        "WARN",
        "Error budget burning",
        "backend=\"backend\"",
        "burn_1h=",
    ]);
}

pub(crate) fn told_to_the_webhook() {
    let receiver = Receiver::start("Bearer hunter2");
    let (mut shaky, broken) = (HttpBackend::start(), HttpBackend::start());
    let breaker = json!({
        "failure_threshold": 2, "success_threshold": 1, "reset_timeout": "100ms", "jitter": 0,
    });
    let gateway = Setup::config(json!({
        "telemetry": {"webhook": {
            "url": format!("http://{}/in?key=hunter2", receiver.address),
            "headers": {"Authorization": "Bearer hunter2"},
        }},
        "failsafe": {"retry": {"enabled": false}},
        "backends": {
            "shaky": {"http_url": shaky.url(), "circuit_breaker": breaker},
            "broken": {
                "http_url": broken.url(),
                "circuit_breaker": {"enabled": false},
                "slo": {"availability": 99.9},
            },
        },
    }))
    .start();
    call(&gateway, "shaky", 1);
    shaky.close();
    call(&gateway, "shaky", 2);
    let opened = receiver.told("circuit_opened", "shaky");
    assert_eq!(opened["cause"], "unreachable", "{opened}");
    assert!(
        opened["failures"]
            .as_str()
            .unwrap()
            .starts_with("2 failures")
    );
    assert!(opened["at_ms"].as_u64().unwrap() > 1_600_000_000_000);
    shaky.reopen();
    gateway.answers_again("shaky");
    receiver.told("circuit_closed", "shaky");
    broken.feel(Mood::Status(500, ""));
    call(&gateway, "broken", 12);
    let burning = receiver.told("burn_started", "broken");
    assert_eq!(burning["slo"], "availability");
    assert!(
        burning["burn_rates"][0]["rate"].as_f64().unwrap() > 14.4,
        "{burning}"
    );
    assert!(burning["error_budget_remaining"].as_f64().unwrap() < 0.0);
    until("what was sent is counted", || {
        let sent = gateway.sample("mcp_webhook_posts_total{result=\"sent\"}");
        (sent >= Some(3.0)).then_some(())
    });
    assert!(gateway.log().iter().all(|line| !line.contains("hunter2")));
}

pub(crate) fn a_webhook_that_takes_nothing() {
    let mut backend = HttpBackend::start();
    // Nobody listens there.
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let gateway = Setup::config(json!({
        "telemetry": {"webhook": {"url": format!("http://{nobody}/")}},
        "failsafe": {"retry": {"enabled": false}},
        "backends": {"backend": {
            "http_url": backend.url(), "circuit_breaker": {"failure_threshold": 1},
        }},
    }))
    .start();
    assert!(gateway.invoke("backend", "echo", json!({})).is_good());
    backend.close();
    call(&gateway, "backend", 1);
    gateway.logged(&["WARN", "The webhook does not take alarms"]);
    assert_eq!(
        gateway.sample("mcp_webhook_posts_total{result=\"failed\"}"),
        Some(1.0)
    );
    assert_eq!(
        gateway.invoke("backend", "echo", json!({})).refusal(),
        "CIRCUIT_OPEN"
    );
}
