//! A client that starts the gateway as its server and speaks to it through two pipes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::asked::{Asking, askable, elicit, is_withdrawn, said};
use crate::support::{Setup, StdioBackend, is_alive, message, until};

const CHANGED: &str = "notifications/tools/list_changed";

/// A gateway of one client.
struct Client {
    child: Child,
    says: Option<ChildStdin>,
    hears: BufReader<ChildStdout>,
    changes: Vec<Value>,
    setup: Setup,
}

impl Client {
    fn start(config: Value) -> Self {
        let setup = Setup::config(config).arg("serve").arg("--stdio");
        let mut command = setup.command();
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        // Read to its end, so that the gateway never waits for room.
        let mut log = child.stderr.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            says: child.stdin.take(),
            hears: BufReader::new(child.stdout.take().unwrap()),
            child,
            changes: Vec::new(),
            setup,
        }
    }

    fn of(backend: &StdioBackend) -> Self {
        Self::start(json!({
            "meta_mcp": {"enabled": false, "naming": "plain"},
            "backends": {"backend": backend.config()},
        }))
    }

    fn say(&mut self, line: &str) {
        let says = self.says.as_mut().unwrap();
        says.write_all(line.as_bytes()).unwrap();
        says.write_all(b"\n").unwrap();
    }

    fn ask(&mut self, id: Value, method: &str, params: Value) {
        self.say(&message(id, method, &params));
    }

    fn call(&mut self, id: Value, tool: &str, arguments: Value) {
        self.ask(
            id,
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
        );
    }

    /// The next line but those that say that a list is another one now: its first reading is such a change too.
    fn hear(&mut self) -> Value {
        loop {
            let heard = self.next();
            if heard["method"] != CHANGED {
                return heard;
            }
            self.changes.push(heard);
        }
    }

    /// The next change, or one that was passed over.
    fn change(&mut self) -> Value {
        match self.changes.pop() {
            Some(change) => change,
            None => self.next(),
        }
    }

    /// The next line, which must be JSON-RPC like every other.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        assert!(
            self.hears.read_line(&mut line).unwrap() > 0,
            "the gateway has ended"
        );
        let heard: Value = serde_json::from_str(&line.replace("1e400", "0")).unwrap();
        assert_eq!(heard["jsonrpc"], "2.0", "{line}");
        heard
    }

    fn initialize(&mut self) {
        self.initialize_as(json!({}));
    }

    fn initialize_as(&mut self, capabilities: Value) {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {"name": "x", "version": "1"}});
        self.ask(json!(0), "initialize", params);
        assert_eq!(self.hear()["result"]["protocolVersion"], "2025-11-25");
        self.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    }

    /// Closes the client's end; what is still said, and the exit code.
    fn close(mut self) -> (Vec<String>, Option<i32>) {
        drop(self.says.take());
        let rest = self.hears.by_ref().lines().map(Result::unwrap);
        let rest = rest.filter(|line| !line.contains(CHANGED)).collect();
        (rest, self.child.wait().unwrap().code())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn modern(mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    params
}

pub(crate) fn ends_with_its_client() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::of(&backend);
    client.initialize();
    client.ask(json!(1), "tools/list", json!({}));
    assert!(client.hear()["result"]["tools"].as_array().unwrap().len() > 5);
    let gateway = client.child.id();
    client.call(json!("last"), "sleep", json!({"ms": 200}));
    client.say("this is no JSON");
    assert_eq!(client.hear()["error"]["code"], -32700);
    let (rest, code) = client.close();
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert!(
        rest[0].contains(r#""id":"last""#) && rest[0].contains("slept"),
        "{rest:?}"
    );
    assert_eq!(code, Some(0));
    let left: Vec<u32> = backend.pids().into_iter().chain([gateway]).collect();
    until("nothing of it runs", || {
        left.iter().all(|pid| !is_alive(*pid)).then_some(())
    });
}

pub(crate) fn side_by_side() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::of(&backend);
    client.initialize();
    client.call(json!(1), "hang", json!({}));
    client.call(json!(2), "echo", json!({"message": "first"}));
    assert_eq!(client.hear()["id"], 2);
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    until("the backend hears of it", || {
        (!backend.received("notifications/cancelled").is_empty()).then_some(())
    });
    let (rest, code) = client.close();
    assert_eq!((rest.len(), code), (0, Some(0)), "{rest:?}");
}

pub(crate) fn progress() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::of(&backend);
    client.initialize();
    let params = json!({"name": "progress", "arguments": {}, "_meta": {"progressToken": "p"}});
    client.ask(json!(1), "tools/call", params);
    for step in 1..=3 {
        assert_eq!(client.hear()["params"]["progress"], step);
    }
    assert_eq!(client.hear()["id"], 1);
}

pub(crate) fn asked() {
    for backend in Asking::legacy().into_iter().chain(Asking::modern()) {
        let mut client = Client::start(json!({
            "server": {"shutdown_timeout": "10m"},
            "meta_mcp": {"enabled": false, "naming": "plain"},
            "backends": {"backend": backend.config()},
        }));
        client.initialize_as(askable());
        client.call(json!(0), "ask", elicit(json!(0), "?"));
        let question = client.hear();
        assert_eq!(question["method"], "elicitation/create");
        let answer = json!({"action": "accept", "content": {"x": 1}});
        let id = &question["id"];
        client.say(&json!({"jsonrpc": "2.0", "id": id, "result": answer}).to_string());
        let done = client.hear();
        assert_eq!(done["id"], 0);
        let said = said(&done);
        assert!(said["result"] == answer || said["key"] == answer, "{said}");
        client.call(json!(1), "ask", elicit(json!(0), "?"));
        let question = client.hear();
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
        client.say(&cancelled.to_string());
        is_withdrawn(&client.hear(), &question);
        client.call(json!(2), "ask", elicit(json!(0), "?"));
        client.hear();
        let (rest, code) = client.close();
        assert_eq!(
            code,
            Some(0),
            "a question that is open holds nothing up: {rest:?}"
        );
    }
}

pub(crate) fn changes() {
    let backend = StdioBackend::new(&["--late-tools"]);
    let mut client = Client::of(&backend);
    client.initialize();
    client.ask(json!(1), "gateway_invoke", reveal());
    assert_eq!(client.hear()["id"], 1);
    assert_eq!(client.change()["method"], CHANGED);
}

fn reveal() -> Value {
    json!({"server": "backend", "tool": "reveal", "arguments": {}})
}

pub(crate) fn modern_client() {
    let backend = StdioBackend::new(&["--late-tools"]);
    let mut client = Client::of(&backend);
    client.ask(json!("d"), "server/discover", modern(json!({})));
    assert_eq!(
        client.hear()["result"]["supportedVersions"][0],
        "2026-07-28"
    );
    let wanted = modern(json!({"notifications": {"toolsListChanged": true}}));
    client.ask(json!("s"), "subscriptions/listen", wanted);
    let first = client.hear();
    assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
    client.ask(json!(1), "gateway_invoke", modern(reveal()));
    let answer = client.hear();
    assert_eq!(answer["result"]["resultType"], "complete");
    let told = client.change();
    for message in [first, told] {
        let meta = &message["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/subscriptionId"], "s");
    }
    let hang = modern(json!({"server": "backend", "tool": "hang", "arguments": {}}));
    client.ask(json!(2), "gateway_invoke", hang);
    until("the call hangs", || {
        (backend.calls("hang") == 1).then_some(())
    });
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#);
    until("the backend hears of it", || {
        (!backend.received("notifications/cancelled").is_empty()).then_some(())
    });
    let (rest, code) = client.close();
    assert_eq!((rest.len(), code), (1, Some(0)), "{rest:?}");
    let last: Value = serde_json::from_str(&rest[0]).unwrap();
    assert_eq!(
        (&last["id"], &last["result"]["resultType"]),
        (&json!("s"), &json!("complete"))
    );
}

pub(crate) fn a_subscription_at_the_end() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::of(&backend);
    let wanted = modern(json!({"notifications": {"toolsListChanged": true}}));
    client.ask(json!("s"), "subscriptions/listen", wanted);
    let (rest, code) = client.close();
    assert_eq!(code, Some(0));
    assert!(rest[0].contains("acknowledged"), "{rest:?}");
    assert!(rest[1].contains(r#""resultType":"complete""#), "{rest:?}");
}

pub(crate) fn a_last_line_without_an_end() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::of(&backend);
    let ping = message(json!("last"), "ping", &json!({}));
    let says = client.says.as_mut().unwrap();
    says.write_all(ping.as_bytes()).unwrap();
    let (rest, code) = client.close();
    assert_eq!((rest.len(), code), (1, Some(0)), "{rest:?}");
    assert!(rest[0].contains(r#""id":"last""#), "{rest:?}");
}

pub(crate) fn an_id_in_use() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::of(&backend);
    client.initialize();
    client.call(json!(1), "hang", json!({}));
    until("the call hangs", || {
        (backend.calls("hang") == 1).then_some(())
    });
    client.call(json!(1), "echo", json!({}));
    assert_eq!(client.hear()["error"]["code"], -32600);
    assert_eq!(backend.calls("echo"), 0);
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    until("the id is free", || {
        client.call(json!(1), "echo", json!({"message": "again"}));
        client.hear()["result"].is_object().then_some(())
    });
}

pub(crate) fn a_signal_after_the_end() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::start(json!({
        "server": {"shutdown_timeout": "10m"},
        "backends": {"backend": backend.config()},
    }));
    client.initialize();
    let hang = json!({"server": "backend", "tool": "hang", "arguments": {}});
    client.ask(json!(1), "gateway_invoke", hang);
    until("the call hangs", || {
        (backend.calls("hang") == 1).then_some(())
    });
    drop(client.says.take());
    let pid = Pid::from_child(&client.child);
    // Before it has seen the end of its input it takes the first for a stop, and the second for one at once.
    until("it has ended", || {
        let _ = kill_process(pid, Signal::TERM);
        client.child.try_wait().unwrap()
    });
}

pub(crate) fn too_many_calls() {
    let backend = StdioBackend::new(&[]);
    let mut config = backend.config();
    // So that nothing else refuses any of them.
    config["max_queue"] = json!(2_000);
    let mut client = Client::start(json!({
        "meta_mcp": {"enabled": false, "naming": "plain"},
        "backends": {"backend": config},
    }));
    client.initialize();
    client.call(json!("warm"), "echo", json!({}));
    client.hear();
    for id in 0..1_100 {
        client.call(json!(id), "hang", json!({"call": id}));
    }
    let refused = client.hear();
    let sentence = refused["error"]["message"].as_str().unwrap();
    assert!(sentence.contains("1024"), "{refused}");
    let Client {
        hears, says, child, ..
    } = &mut client;
    std::thread::scope(|scope| {
        // A client that reads nothing is not read either, once its output is full of refusals.
        scope.spawn(move || hears.lines().for_each(drop));
        let _ended = Ended(child);
        let held = until("a call hangs at the backend", || {
            let calls = backend.received("tools/call");
            calls.iter().find_map(|call| call_in(call))
        });
        let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": held}});
        writeln!(says.as_mut().unwrap(), "{cancelled}").unwrap();
        until("the backend hears of it", || {
            (!backend.received("notifications/cancelled").is_empty()).then_some(())
        });
    });
}

/// Which of the client's calls this is.
fn call_in(line: &str) -> Option<u64> {
    let call: Value = serde_json::from_str(line).unwrap();
    call["params"]["arguments"]["call"].as_u64()
}

/// Ends a child however its situation ends, so that nobody waits for what it says.
struct Ended<'a>(&'a mut Child);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

pub(crate) fn a_line_that_is_too_long() {
    let backend = StdioBackend::new(&[]);
    let mut client = Client::start(json!({
        "server": {"max_body_size": 65536},
        "backends": {"backend": backend.config()},
    }));
    client.call(json!(1), "echo", json!({"message": "x".repeat(1 << 20)}));
    let refused = client.hear();
    assert_eq!(
        (&refused["id"], &refused["error"]["code"]),
        (&json!(1), &json!(-32600))
    );
    client.ask(json!(2), "ping", json!({}));
    assert_eq!(client.hear()["id"], 2);
}

pub(crate) fn another_configuration() {
    let (one, other) = (StdioBackend::new(&[]), StdioBackend::new(&[]));
    let mut client = Client::of(&one);
    client.initialize();
    client.call(json!(1), "gateway_reload_config", json!({}));
    let unchanged = client.hear();
    assert_eq!(unchanged["result"]["structuredContent"]["unchanged"], 1);
    let both = json!({
        "meta_mcp": {"enabled": false},
        "server": {"max_body_size": 1000},
        "backends": {"backend": one.config(), "other": other.config()},
    });
    std::fs::write(client.setup.home().join("gateway.yaml"), both.to_string()).unwrap();
    client.call(json!(2), "gateway_reload_config", json!({}));
    let reloaded = client.hear()["result"]["structuredContent"].clone();
    assert_eq!(reloaded["added"], json!(["other"]));
    assert_eq!(reloaded["needs_restart"], json!(["server.max_body_size"]));
    client.change();
    client.call(json!(3), "other__whoami", json!({}));
    // Its prompts and resources are news too.
    while client.hear()["id"] != 3 {}
    assert_eq!(other.calls("whoami"), 1);
}
