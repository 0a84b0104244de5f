//! What the gateway itself costs: said with each answer, held to a budget, and measured by the program itself.

use std::{fs, process::Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{
    HttpBackend, Request, Response, Setup, StdioBackend, is_alive, message, until,
};

/// The parts of a `Server-Timing` header, in milliseconds.
fn parts(response: &Response) -> Vec<(String, f64)> {
    let header = response.header("server-timing").unwrap_or_default();
    let parts = header.split(", ").filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, time) = part.split_once(";dur=").unwrap();
            let (_, places) = time.split_once('.').unwrap();
            assert_eq!(places.len(), 3, "{header}");
            (name.to_owned(), time.parse().unwrap())
        })
        .collect()
}

fn call(tool: &str, arguments: &Value) -> String {
    let params = json!({"name": tool, "arguments": arguments});
    message(json!(1), "tools/call", &params)
}

pub(crate) fn where_the_time_went() {
    let (stdio, http) = (StdioBackend::new(&[]), HttpBackend::start());
    let gateway = Setup::config(json!({
        "backends": {"stdio": stdio.config(), "http": http.config()},
        "telemetry": {"server_timing": true},
    }))
    .start();
    for backend in ["stdio", "http"] {
        let session = gateway.session(&format!("/mcp/{backend}"));
        let answer = session.send(&call("echo", &json!({"message": "x"})));
        let parts = parts(&answer);
        let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["queue", "backend", "gateway"], "{backend}");
        assert!(parts[1].1 > 0.0 && parts[2].1 > 0.0, "{parts:?}");
        // What no backend was asked for has no such times.
        let own = session.send(&message(json!(2), "ping", &json!({})));
        assert_eq!(own.header("server-timing"), None);
    }
    // The start of a child is its time, not ours.
    let invoked = gateway.send(&Request::post(
        "/mcp",
        r#"{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{"server":"stdio","tool":"echo"}}"#,
    ));
    assert_eq!(parts(&invoked).len(), 3, "{invoked:?}");
    // It takes two more looks at the clock, so nobody gets it who has not asked for it.
    let off = Setup::backends(json!({"http": http.config()})).start();
    let session = off.session("/mcp/http");
    let answer = session.send(&call("echo", &json!({})));
    assert_eq!((answer.status, answer.header("server-timing")), (200, None));
}

pub(crate) fn over_the_budget() {
    let backend = HttpBackend::start();
    let gateway = Setup::config(json!({
        "backends": {"backend": backend.config()},
        "telemetry": {"overhead_budget": "1ms", "server_timing": true},
    }))
    .start();
    const COUNTER: &str = "mcp_gateway_overhead_budget_exceeded_total ";
    assert_eq!(gateway.sample(COUNTER), Some(0.0));
    // Nobody looks at so many bytes, twice, in a millisecond.
    let session = gateway.session("/mcp/backend");
    let large = json!({"message": "x".repeat(9 << 20)});
    let answer = session.send(&call("mirror", &large));
    assert_eq!(answer.status, 200);
    assert!(parts(&answer)[2].1 > 1.0, "{:?}", parts(&answer));
    assert!(gateway.sample(COUNTER).unwrap() >= 1.0);
    gateway.logged(&[
        "WARN",
        "Overhead budget exceeded",
        "requests=",
        "overhead_ms=",
        "budget_ms=1",
    ]);
}

pub(crate) fn measured_by_itself() {
    let ended = Setup::unconfigured()
        .arg("bench")
        .arg("--self")
        .args(&[
            "--rate",
            "100",
            "--duration",
            "1s",
            "--connections",
            "2",
            "--json",
        ])
        // Of another gateway's configuration nothing holds here.
        .env("MCP_GATEWAY_AUTH__ENABLED", "true")
        .run();
    assert_eq!(ended.code, 0, "{ended:?}");
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    for way in ["direct", "gateway"] {
        assert!(found[way]["requests"].as_u64().unwrap() > 0, "{found}");
        assert!(found[way]["p99_us"].as_f64() >= found[way]["p50_us"].as_f64());
    }
    assert!(found["added_p50_us"].is_f64() && found["added_p99_us"].is_f64());
    assert!(found["gateway_cpu_us"].as_f64().unwrap() > 0.0, "{found}");
    assert!(found["machine"]["cores"].as_u64().unwrap() > 0);
    let text = Setup::unconfigured()
        .arg("bench")
        .arg("--self")
        .args(&["--rate", "100", "--duration", "1s", "--connections", "1"])
        .run();
    for said in [
        "direct",
        "gateway",
        "added",
        "p99",
        "of processor time a request",
    ] {
        assert!(text.stdout.contains(said), "{said}: {text:?}");
    }
}

pub(crate) fn stopped_by_ctrl_c() {
    let setup = Setup::unconfigured().arg("bench").arg("--self").args(&[
        "--rate",
        "10",
        "--duration",
        "5m",
    ]);
    let mut bench = setup.command().stderr(Stdio::null()).spawn().unwrap();
    let family = until("the echo and the gateway run", || {
        let family = descendants(bench.id());
        (family.len() == 4).then_some(family)
    });
    let pid = Pid::from_raw(i32::try_from(bench.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let status = until("the bench ends", || bench.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    assert!(family.iter().all(|pid| !is_alive(*pid)), "{family:?}");
}

pub(crate) fn within_bounds() {
    for wrong in [
        ["--rate", "50001"],
        ["--duration", "301s"],
        ["--connections", "257"],
    ] {
        let ended = Setup::unconfigured()
            .arg("bench")
            .arg("--self")
            .args(&wrong)
            .run();
        assert_eq!(ended.code, 2, "{wrong:?}: {ended:?}");
    }
    let nothing = Setup::unconfigured().arg("bench").run();
    assert_eq!(nothing.code, 2);
    assert!(nothing.stderr.contains("--self"), "{nothing:?}");
}

/// All that a process started, and all that those started.
fn descendants(pid: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = list.split_whitespace().filter_map(|pid| pid.parse().ok());
    children
        .flat_map(|child| [vec![child], descendants(child)].concat())
        .collect()
}
