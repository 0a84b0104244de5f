//! Lines of the log on their way out: all of them in their order, and whoever does not read them holds nobody up.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::Child,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{HttpBackend, Request, Setup, until};

/// A gateway whose log is read here and when it suits, which `Gateway` does at once.
struct Unread {
    child: Child,
    log: Box<dyn Iterator<Item = Value>>,
    address: SocketAddr,
}

impl Unread {
    fn start(setup: &Setup) -> Self {
        let mut child = setup.command().spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let listening = log.find(|line| line["message"] == "Listening").unwrap();
        let url = listening["url"].as_str().unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches("/mcp");
        Self {
            address: address.parse().unwrap(),
            log: Box::new(log),
            child,
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn logged(config: Value) -> Setup {
    let json = ["--port", "0", "--log-format", "json"];
    Setup::config(config).args(&json)
}

pub(crate) fn nobody_reads() {
    let server = json!({"access_log": true});
    let setup = logged(json!({"server": server, "backends": {}})).env("RUST_LOG", "info");
    let mut gateway = Unread::start(&setup);
    // A pipe holds 64 KiB, and the gateway a mebibyte and a quarter: this is more than two.
    let path = format!("/{}", "x".repeat(4_000));
    for _ in 0..600 {
        let request = Request::new("GET", &path);
        assert_eq!(request.send(gateway.address).unwrap().status, 404);
    }
    let mut kept = 0_u64;
    let lost = loop {
        let line = gateway.log.next().unwrap();
        match line["message"].as_str().unwrap() {
            "HTTP request" => kept += 1,
            "Log lines lost, nobody read them in time" => break line,
            _ => {}
        }
    };
    assert_eq!(lost["level"], "WARN");
    assert_eq!(
        kept + lost["lines"].as_u64().unwrap(),
        600,
        "each is told or counted"
    );
    assert!(kept > 200, "{kept}");
    gateway.signal(Signal::TERM);
    assert!(
        gateway
            .log
            .any(|line| line["message"] == "Stopping; once more to stop at once")
    );
    let status = until("it ends", || gateway.child.try_wait().unwrap());
    assert!(status.success(), "{status}");
}

pub(crate) fn all_at_the_end() {
    let server = HttpBackend::start();
    let setup = logged(json!({"backends": {"server": server.config()}})).env("RUST_LOG", "info");
    let mut gateway = Unread::start(&setup);
    let ids: Vec<String> = (0..40)
        .map(|number| {
            let call = json!({
                "jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": "echo", "arguments": {}},
            });
            let answer = Request::post("/mcp/server", call.to_string()).send(gateway.address);
            answer.unwrap().header("x-request-id").unwrap().to_owned()
        })
        .collect();
    // What was logged last has not been written yet.
    gateway.signal(Signal::TERM);
    let calls = gateway.log.by_ref().filter(|line| {
        line["message"] == "Request completed successfully" && line["method"] == "tools/call"
    });
    let told: Vec<String> = calls
        .map(|line| {
            let span = &line["spans"][0];
            assert_eq!(
                (&span["name"], &span["request_id"]),
                (&json!("http_request"), &line["request_id"])
            );
            assert!(
                line["latency_ms"].is_number() && line["timestamp"].is_string(),
                "{line}"
            );
            line["request_id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(told, ids);
    assert!(gateway.child.wait().unwrap().success());
}
