//! Takes the tour of the README: runs every command it shows against the built binary and compares what it shows.
//!
//! Commands are the lines that begin with `$ ` in the `console` blocks of the tour. What follows a command is what it
//! prints, with `…` for what differs from run to run. Only the ports differ from what a reader types, and
//! `cargo run --release` is the binary that is built already.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "scenarios/support/patience.rs"]
mod patience;
#[path = "readme/tour.rs"]
mod tour;

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use patience::until;
use tempfile::TempDir;
use tour::{Step, blocks, missing, steps};

const HEADING: &str = "## A five-minute tour";
const START: &str = "cargo run --release";
const DEFAULT_PORT: &str = "39400";
const SECOND_PORT: &str = "39401";

#[test]
fn every_command_of_the_tour_prints_what_the_readme_shows() {
    let steps = steps(&readme(), HEADING);
    assert!(steps.len() >= 8, "the tour is not where this test looks");
    let mut reader = Reader::new();
    for step in &steps {
        reader.take(step);
    }
}

#[test]
fn the_readme_shows_the_two_commands() {
    let text = readme();
    assert!(
        text.contains("\ncargo run --release\n") && text.contains("\ncargo test --workspace\n")
    );
}

#[test]
fn the_configuration_it_shows_is_valid() {
    let text = readme();
    let reader = Reader::new();
    let shown = blocks(&text, "yaml");
    assert!(!shown.is_empty());
    for block in shown {
        let file = reader.home.path().join("shown.yaml");
        fs::write(&file, block).unwrap();
        let mut validate = reader.process(env!("CARGO_BIN_EXE_mcp-gateway"));
        validate.arg("validate").arg("-c").arg(file);
        let output = validate.env("REMOTE_TOKEN", "secret").output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[test]
fn the_client_settings_it_shows_are_json_and_name_the_endpoint_or_the_command() {
    let text = readme();
    let shown = blocks(&text, "json");
    assert_eq!(shown.len(), 3);
    for block in shown {
        let settings: serde_json::Value = serde_json::from_str(block).unwrap();
        let server = settings.as_object().unwrap().values().next().unwrap();
        let names_endpoint = server["gateway"]["url"] == "http://127.0.0.1:39400/mcp";
        let starts_it = server["gateway"]["args"] == serde_json::json!(["serve", "--stdio"]);
        assert!(names_endpoint != starts_it, "{settings}");
    }
}

#[test]
fn each_row_of_the_protocol_table_names_situations_that_are_played() {
    let played = include_str!("scenarios/main.rs");
    let text = readme();
    let section = text.split("## Which MCP it speaks").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<&str> = section
        .lines()
        .filter_map(|line| line.strip_suffix(" |"))
        .collect();
    assert!(rows.len() > 5, "the table is not where this test looks");
    for name in rows
        .iter()
        .filter_map(|row| row.rsplit(" | ").next())
        .skip(1)
        .flat_map(|names| names.split("; "))
    {
        assert!(
            played.contains(&format!("\"{name}\"")),
            "{name:?} is not played"
        );
    }
}

#[test]
fn the_instructions_it_gives_are_those_that_the_budget_holds() {
    let budgets: toml::Table = toml::from_str(include_str!("../perf/budgets.toml")).unwrap();
    let budgets = budgets["instructions"].as_array().unwrap();
    let is_call = |budget: &&toml::Value| budget["name"].as_str() == Some("core_call");
    let count = budgets.iter().find(is_call).unwrap()["count"].as_integer();
    let shown = format!("| {} instructions |", count.unwrap());
    assert!(readme().contains(&shown), "README.md does not say {shown}");
}

fn readme() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

/// Somebody who follows the tour, in a directory of their own.
struct Reader {
    home: TempDir,
    /// The ports of the README and those used instead.
    ports: Vec<(&'static str, String)>,
    running: Vec<(String, Child)>,
}

impl Reader {
    fn new() -> Self {
        let ports = [DEFAULT_PORT, SECOND_PORT].map(|port| (port, free_port()));
        Self {
            home: TempDir::new().unwrap(),
            ports: ports.to_vec(),
            running: Vec::new(),
        }
    }

    fn take(&mut self, step: &Step) {
        let command = self.with_ports(&step.command);
        let Some(arguments) = command.strip_prefix(START) else {
            return self.run(step, &command);
        };
        let given = arguments.trim().strip_prefix("--").unwrap_or_default();
        self.start(given.split_whitespace().map(str::to_owned).collect());
    }

    /// Runs a command to its end and compares what it printed.
    fn run(&self, step: &Step, command: &str) {
        let mut shell = self.process("sh");
        let output = shell.arg("-c").arg(command).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let expected = self.with_ports(&step.shown);
        let missing = missing(&expected, &printed);
        assert_eq!(
            missing, None,
            "README.md:{}: $ {command}\nprinted:\n{printed}",
            step.line
        );
    }

    /// Starts a gateway; one that listens on the same port is stopped first, as the tour asks.
    fn start(&mut self, mut arguments: Vec<String>) {
        let flag = arguments.iter().position(|argument| argument == "--port");
        let port = match flag {
            Some(at) => arguments[at + 1].clone(),
            None => self.with_ports(&format!(":{DEFAULT_PORT}"))[1..].to_owned(),
        };
        if flag.is_none() {
            arguments.extend(["--port".to_owned(), port.clone()]);
        }
        self.stop(&port);
        let log = File::create(self.home.path().join(format!("{port}.log"))).unwrap();
        let mut gateway = self.process(env!("CARGO_BIN_EXE_mcp-gateway"));
        gateway.args(arguments).stdout(Stdio::null()).stderr(log);
        self.running.push((port.clone(), gateway.spawn().unwrap()));
        until("the gateway of the tour listens", || {
            TcpStream::connect(format!("127.0.0.1:{port}")).ok()
        });
    }

    fn stop(&mut self, port: &str) {
        for (listens, child) in &mut self.running {
            if listens == port {
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
        self.running.retain(|(listens, _)| listens != port);
    }

    fn process(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .current_dir(self.home.path())
            .stdin(Stdio::null());
        command
    }

    fn with_ports(&self, text: &str) -> String {
        let replaced = |text: String, (shown, used): &(&str, String)| {
            text.replace(&format!(":{shown}"), &format!(":{used}"))
                .replace(&format!("--port {shown}"), &format!("--port {used}"))
        };
        self.ports.iter().fold(text.to_owned(), replaced)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}
