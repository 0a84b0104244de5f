//! The built binary with a configuration: what it says, where it points, and the code it ends with.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot go on must fail")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A home of its own with a file `gateway.yaml` in it, and nothing of the caller's environment but `PATH`.
struct Home(TempDir);

impl Home {
    fn with(config: &str) -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        std::fs::write(home.path().join("gateway.yaml"), config).unwrap();
        home
    }

    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-gateway"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path())
            .current_dir(self.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(&mut self.command(arguments))
    }
}

#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn of(command: &mut Command) -> Self {
        let Output {
            status,
            stdout,
            stderr,
        } = command.output().unwrap();
        Self {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }
}

#[test]
fn a_good_file_is_summed_up_on_one_line() {
    let home = Home::with("backends: {a: {command: x}, b: {http_url: http://localhost:1/mcp}}");
    let ended = home.run(&["validate"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "gateway.yaml: valid; 2 backends (a, b) on 127.0.0.1:39400; no warnings\n"
    );
    assert_eq!(ended.stderr, "");
}

#[test]
fn every_problem_is_printed_with_its_line_and_nothing_is_served() {
    let home = Home::with(
        "server:\n  prot: 1\n  request_timeout: 30 parsecs\nbackends:\n  a:\n    command: x\n    env: {KEY: \"${NO_SUCH_VARIABLE}\"}\n",
    );
    for arguments in [&["validate"][..], &["serve"], &[]] {
        let ended = home.run(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.stdout, "");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(
            lines[0],
            "gateway.yaml:2:3: unknown key `server.prot`: did you mean `port`?"
        );
        assert!(
            lines[1].starts_with(
                "gateway.yaml:3:20: `server.request_timeout`: `30 parsecs` is not a duration"
            ),
            "{lines:?}"
        );
        assert!(
            lines[2].starts_with(
                "gateway.yaml:7:16: `backends.a.env.KEY` needs the environment variable NO_SUCH_VARIABLE"
            ),
            "{lines:?}"
        );
    }
}

#[test]
fn what_is_not_yaml_or_not_there_is_one_line() {
    let ended = Home::with("server: [1\n").run(&["validate"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .starts_with("gateway.yaml:1:9: this is not YAML")
    );
    assert_eq!(ended.stderr.lines().count(), 1);
    let ended = Home::empty().run(&["-c", "/no/such.yaml"]);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.starts_with("/no/such.yaml: cannot be read ("),
        "{ended:?}"
    );
    assert_eq!(ended.stderr.lines().count(), 1);
    let ended = Home::empty().run(&["--prot", "1"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--port"), "{ended:?}");
}

#[test]
fn a_secret_is_in_no_word_that_is_printed() {
    let home = Home::with(
        "auth:\n  enabled: true\n  bearer_token: \"hunter2 \"\n  api_keys: [{key: hunter2, nmae: x}, {key: \"${KEY}\", name: [hunter2]}]\nbackends:\n  a: {http_url: \"https://me:hunter2@example.org\", headers: {Authorization: \"hunter2\\n\"}}\n  b: {command: x, env: {\"A B\": hunter2}}\n",
    );
    let ended = Ended::of(home.command(&["validate"]).env("KEY", "hunter2"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.lines().count() >= 6, "{ended:?}");
    assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
}

#[test]
fn a_file_with_every_key_people_bring_along_loads_with_warnings() {
    let home = Home::with(include_str!("config_cli/compat.yaml"));
    std::fs::write(home.path().join("keys.env"), "FROM_FILE=1\n").unwrap();
    let capabilities = home.path().join("capabilities");
    std::fs::create_dir(&capabilities).unwrap();
    let weather = include_str!("../examples/capabilities/weather.yaml");
    std::fs::write(capabilities.join("weather.yaml"), weather).unwrap();
    let ended = Ended::of(home.command(&["validate"]).env("TOKEN", "t"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let warned = [
        "server.ws_port",
        "streaming.auto_subscribe",
        "backends.files.secrets",
        "backends.files.idle_timeout",
        "backends.files.runtime_profile",
        "backends.files.identity_propagation",
        "backends.agent.a2a_url",
        "agent_auth",
        "cache",
        "code_mode",
        "config_export",
        "control_plane",
        "cost_governance",
        "discovery",
        "key_server",
        "marketplace",
        "mtls",
        "playbooks",
        "routing_profiles",
        "runtime",
        "security",
        "semantic_search",
        "tool_profiles",
        "webhooks",
    ];
    for key in warned {
        let sentence = format!("`{key}` is not supported");
        assert_eq!(
            ended.stdout.matches(&sentence).count(),
            1,
            "{key}: {ended:?}"
        );
    }
    assert_eq!(ended.stdout.lines().count(), 1 + warned.len(), "{ended:?}");
    assert!(ended.stdout.starts_with(
        "gateway.yaml: valid; 3 backends (files, web, fulcrum) on 127.0.0.1:39400; 24 warnings\n"
    ));
}

#[test]
fn the_first_file_found_is_read_and_none_means_the_demo() {
    let home = Home::empty();
    let ended = home.run(&["validate"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("1 backend (demo)"), "{ended:?}");
    let folder = home.path().join(".config/mcp-gateway");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("gateway.yaml"), "server: {port: 1}").unwrap();
    assert!(home.run(&["validate"]).stdout.contains("127.0.0.1:1;"));
    let named = home.path().join("named.yaml");
    std::fs::write(&named, "server: {port: 2}").unwrap();
    let mut by_variable = home.command(&["validate"]);
    let ended = Ended::of(by_variable.env("MCP_GATEWAY_CONFIG", &named));
    assert!(ended.stdout.contains("127.0.0.1:2;"), "{ended:?}");
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let home = Home::with("server: {host: 127.0.0.9, port: 1}");
    let address = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = home.command(arguments);
        command.arg("validate").envs(variables.iter().copied());
        let ended = Ended::of(&mut command);
        let (_, rest) = ended.stdout.split_once(" on ").unwrap();
        rest.split(';').next().unwrap().to_owned()
    };
    assert_eq!(address(&[], &[]), "127.0.0.9:1");
    let section = ("MCP_GATEWAY_SERVER__PORT", "2");
    assert_eq!(address(&[], &[section]), "127.0.0.9:2");
    let port = ("MCP_GATEWAY_PORT", "3");
    assert_eq!(address(&[], &[section, port]), "127.0.0.9:3");
    assert_eq!(
        address(&["-p", "4", "--host", "localhost"], &[section, port]),
        "127.0.0.1:4"
    );
}

#[test]
fn a_port_that_is_taken_is_one_line_and_code_1() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = Home::empty().run(&["--port", &port]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains(&port), "{ended:?}");
    assert!(ended.stderr.contains("--port"), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}

#[test]
fn an_open_door_to_the_network_is_refused_with_its_cure() {
    for arguments in [
        &["validate", "--host", "0.0.0.0"][..],
        &["--host", "0.0.0.0", "-p", "0"],
    ] {
        let ended = Home::empty().run(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains("auth.bearer_token: auto"),
            "{ended:?}"
        );
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    }
}

#[test]
fn a_log_filter_that_is_none_is_a_usage_error() {
    let ended = Home::empty().run(&["--log-level", "mcp_gateway=loud", "-p", "0"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
}

/// A gateway that runs, and what its standard error said so far.
struct Running {
    child: Child,
    lines: BufReader<ChildStderr>,
    said: String,
}

impl Running {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        Self {
            lines: BufReader::new(child.stderr.take().unwrap()),
            child,
            said: String::new(),
        }
    }

    fn until(&mut self, word: &str) {
        while !self.said.contains(word) {
            let read = self.lines.read_line(&mut self.said).unwrap();
            assert!(read > 0, "no {word:?} in {}", self.said);
        }
    }

    fn signal(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
    }

    fn end(mut self) -> (Option<i32>, String) {
        self.lines.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap().code(), self.said)
    }

    /// Sends a request on a connection of its own.
    fn send(&self, head: &str, body: &str) -> TcpStream {
        let (_, rest) = self.said.split_once("http://").unwrap();
        let address = rest.split('/').next().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{head} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        stream
    }
}

/// A gateway that is asked to stop once its standard error says `listening`, with all it said.
fn served(home: &Home, arguments: &[&str], listening: &str) -> (Option<i32>, String) {
    let mut running = Running::start(home, arguments);
    running.until(listening);
    running.signal();
    running.end()
}

#[test]
fn a_second_signal_ends_it_though_a_call_goes_on() {
    let program = env!("CARGO_BIN_EXE_mcp-gateway");
    let home = Home::with(&format!(
        "server: {{shutdown_timeout: 1h, request_timeout: 1h}}\nbackends: {{demo: {{command: '{program} demo', timeout: 1h}}}}"
    ));
    let mut running = Running::start(&home, &["-p", "0"]);
    running.until("backend demo");
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_invoke","params":{"server":"demo","tool":"sleep","arguments":{"ms":600000}}}"#;
    let _call = running.send("POST /mcp", call);
    let in_flight = (0..10_000).any(|_| {
        let mut health = String::new();
        let mut answer = running.send("GET /health", "");
        answer.read_to_string(&mut health).unwrap();
        health.contains("\"in_flight\":1")
    });
    assert!(in_flight, "the call never reached the backend");
    running.signal();
    running.until("calls in flight may finish");
    running.signal();
    let (code, said) = running.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("Stopped at once by a second SIGTERM"),
        "{said}"
    );
}

#[test]
fn the_start_says_what_stands_where_and_a_stop_is_code_0() {
    let home = Home::with(
        "auth: {enabled: true, bearer_token: auto}\nbackends:\n  gone: {command: no-such-program, idle_timeout: 5m}\n  far: {http_url: \"http://127.0.0.1:9/mcp?key=hunter2\"}\n",
    );
    let (code, said) = served(&home, &["-p", "0"], "warning:");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(" listens on http://127.0.0.1:"), "{said}");
    assert!(
        said.contains("backend gone: stdio, no-such-program\n    cannot start: "),
        "{said}"
    );
    assert!(
        said.contains("backend far: http, http://127.0.0.1:9/mcp\n"),
        "{said}"
    );
    assert!(
        said.contains("gateway.yaml:3:36: `backends.gone.idle_timeout`"),
        "{said}"
    );
    assert!(
        said.contains(&format!("{}/.local/state", home.path().display())),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn a_log_for_machines_is_json_on_every_line() {
    let arguments = ["serve", "-p", "0", "--log-format", "json"];
    let (code, said) = served(&Home::empty(), &arguments, "Listening");
    assert_eq!(code, Some(0), "{said}");
    for line in said.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(line["message"].is_string(), "{line}");
    }
}
