//! A running gateway, asked as its users ask it and killed when dropped.

use std::{
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    process::{Child, ExitStatus},
    sync::{Arc, Mutex},
    thread,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Reply, Request, Response, session::Session, until};

/// The built binary, running.
pub(crate) struct Gateway {
    child: Child,
    address: SocketAddr,
    log: Lines,
    stdout: Lines,
    home: TempDir,
}

type Lines = Arc<Mutex<Vec<String>>>;

impl Gateway {
    /// Takes over a gateway that was just spawned, once its banner says where it listens.
    pub(super) fn watch(mut child: Child, home: TempDir) -> Self {
        let log = collect(child.stderr.take().unwrap());
        let stdout = collect(child.stdout.take().unwrap());
        let address = until("the banner says where the gateway listens", || {
            let lines = log.lock().unwrap();
            if let Ok(Some(status)) = child.try_wait() {
                panic!("the gateway ended at once, {status}: {lines:#?}");
            }
            lines.iter().find_map(|line| listening_at(line))
        });
        Self {
            child,
            address,
            log,
            stdout,
            home,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes its configuration anew, as an editor does: another file takes the place of the old one.
    pub(crate) fn configure(&self, config: &Value) {
        self.write("gateway.yaml", &config.to_string());
    }

    /// Puts a file with this text into its home, at once.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let draft = self.home.path().join(".draft");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(draft, self.home.path().join(name)).unwrap();
    }

    /// Asks it to read its configuration again.
    pub(crate) fn reload(&self) -> Reply {
        self.ask("gateway_reload_config", json!({}))
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends one request; fails where there is no answer.
    pub(crate) fn send(&self, request: &Request) -> Response {
        request.send(self.address).unwrap()
    }

    /// Reads a page.
    pub(crate) fn page(&self, path: &str) -> Response {
        self.send(&Request::new("GET", path))
    }

    /// Reads a page that is JSON.
    pub(crate) fn json(&self, path: &str) -> Value {
        let page = self.page(path);
        serde_json::from_slice(&page.body).unwrap_or_else(|_| panic!("{path}: {}", page.text()))
    }

    /// Asks the aggregate endpoint without a session.
    pub(crate) fn ask(&self, method: &str, params: Value) -> Reply {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        self.send(&Request::post("/mcp", body.to_string())).reply()
    }

    /// Calls a tool of a backend through `gateway_invoke`.
    pub(crate) fn invoke(&self, server: &str, tool: &str, arguments: Value) -> Reply {
        let params = json!({"server": server, "tool": tool, "arguments": arguments});
        self.ask("gateway_invoke", params)
    }

    /// Calls a backend until it answers.
    pub(crate) fn answers_again(&self, server: &str) {
        until(&format!("{server} answers again"), || {
            let reply = self.invoke(server, "echo", json!({}));
            reply.is_good().then_some(())
        });
    }

    /// Opens a session.
    pub(crate) fn session(&self, path: &str) -> Session {
        Session::open(self.address, path, &[])
    }

    /// Opens a session whose every request carries a header of its own.
    pub(crate) fn session_with(&self, path: &str, headers: &[(&str, &str)]) -> Session {
        Session::open(self.address, path, headers)
    }

    /// Opens a session of a client that can be asked for what these capabilities say.
    pub(crate) fn client(&self, path: &str, capabilities: Value) -> Session {
        Session::open_as(self.address, path, &[], capabilities)
    }

    /// The state of a backend's breaker as `/metrics.json` tells it.
    pub(crate) fn circuit(&self, backend: &str) -> String {
        let metrics = self.json("/metrics.json");
        metrics["backends"][backend]["circuit_state"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// What `/health/backends` tells of a backend.
    pub(crate) fn health(&self, backend: &str) -> Value {
        self.json("/health/backends")[backend].clone()
    }

    /// The value of a Prometheus sample whose line begins with `sample`.
    pub(crate) fn sample(&self, sample: &str) -> Option<f64> {
        let text = self.page("/metrics").text();
        let line = text.lines().find(|line| line.starts_with(sample))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// The log so far.
    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Waits for a log line that holds all of `parts`.
    pub(crate) fn logged(&self, parts: &[&str]) -> String {
        until(&format!("the log has a line with {parts:?}"), || {
            let lines = self.log.lock().unwrap();
            let found = |line: &&String| parts.iter().all(|part| line.contains(part));
            lines.iter().find(found).cloned()
        })
    }

    /// What stands on its standard output.
    pub(crate) fn stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap().clone()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until it has ended.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the gateway ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            let lines = self.log.lock().unwrap();
            eprintln!("--- log of the gateway\n{}\n---", lines.join("\n"));
        }
    }
}

fn collect(source: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let kept = Arc::clone(&lines);
    thread::spawn(move || {
        for line in BufReader::new(source).split(b'\n') {
            let Ok(line) = line else { break };
            let line = String::from_utf8_lossy(&line).into_owned();
            kept.lock().unwrap().push(line);
        }
    });
    lines
}

fn listening_at(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}
