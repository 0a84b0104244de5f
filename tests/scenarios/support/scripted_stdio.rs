//! A stdio MCP server, run as a child of the gateway, whose tools do what they are named for.
//!
//! `scripted-backend JOURNAL [--serial] [--pages=N] [--endless-pages] [--late-tools] [--hang-list] [--hang-later-lists] [--no-ping]
//! [--unready-second-life] [--grows] [--asks] [--asks-roots] [--modern] [--template=T]
//! [--crash-at-start] [--crash-once]`. Each frame that arrives is a line of JOURNAL, so a test can count what reached the
//! backend even across restarts.

use std::{
    collections::HashMap,
    fs::OpenOptions,
    io::{self, BufRead, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex, mpsc},
    thread,
};

use serde_json::{Value, json};

use super::{
    frame::{self, Frame},
    modern_offer, offer, scripted_tools,
};

/// The tools that exist from the start.
const TOOLS: &[&str] = &[
    "echo",
    "sleep",
    "hang",
    "exit_now",
    "exit_once",
    "safe_exit_once",
    "big_line",
    "half_frame",
    "invalid_utf8",
    "nested",
    "same_id",
    "grandchild",
    "chatter",
    "noise",
    "stray",
    "fail",
    "refuse",
    "progress",
    "progress_only",
    "verbatim",
    "mirror",
    "reveal",
    "whoami",
];

/// One running scripted backend.
pub(crate) struct Script {
    journal: PathBuf,
    options: Vec<String>,
    revealed: Mutex<bool>,
    waiting: Mutex<HashMap<String, mpsc::Sender<String>>>,
    /// The ids of the open subscriptions.
    subscriptions: Mutex<Vec<Value>>,
}

/// Runs the scripted backend until its input ends.
pub(crate) fn main(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let Some(journal) = arguments.next() else {
        return ExitCode::from(2);
    };
    let script = Arc::new(Script {
        journal: PathBuf::from(journal),
        options: arguments.collect(),
        revealed: Mutex::new(false),
        waiting: Mutex::default(),
        subscriptions: Mutex::default(),
    });
    if script.dies_at_start() {
        eprintln!("scripted backend: refusing to start");
        return ExitCode::from(7);
    }
    script.write_down(&json!({"started": std::process::id()}).to_string());
    for line in io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        script.receive(line);
    }
    script.write_down(&json!({"ended": std::process::id()}).to_string());
    ExitCode::SUCCESS
}

impl Script {
    /// Writes one whole line to the gateway.
    pub(crate) fn send(&self, line: &str) {
        self.send_raw(format!("{line}\n").as_bytes());
    }

    /// Writes bytes to the gateway as they are.
    pub(crate) fn send_raw(&self, bytes: &[u8]) {
        self.send_pieces(std::iter::once(bytes));
    }

    /// Writes pieces with nothing of other calls between them.
    #[expect(
        clippy::unused_self,
        reason = "only a running script owns the standard output"
    )]
    pub(crate) fn send_pieces<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) {
        let mut out = io::stdout().lock();
        for piece in pieces {
            if out.write_all(piece).and_then(|()| out.flush()).is_err() {
                std::process::exit(0);
            }
        }
    }

    /// Sends a request to the client; where the answer to it comes.
    pub(crate) fn ask(&self, id: &str, method: &str, params: &Value) -> mpsc::Receiver<String> {
        let (sender, answers) = mpsc::channel();
        self.waiting.lock().unwrap().insert(id.to_owned(), sender);
        let params = if params.is_null() {
            String::new()
        } else {
            format!(r#","params":{params}"#)
        };
        self.send(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"{params}}}"#
        ));
        answers
    }

    /// How often a tool was called, in this life and earlier ones.
    pub(crate) fn times_called(&self, tool: &str) -> usize {
        calls_in(&self.journal, tool)
    }

    /// From now on the tools of `--late-tools` are listed.
    pub(crate) fn reveal(&self) {
        *self.revealed.lock().unwrap() = true;
    }

    fn lives(&self) -> usize {
        let lines = lines_of(&self.journal);
        lines.iter().filter(|line| line.contains("spawned")).count()
    }

    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|given| given == option)
    }

    fn hangs_in_list(&self) -> bool {
        let asked = || {
            let lines = lines_of(&self.journal);
            lines
                .iter()
                .filter(|line| line.contains("tools/list"))
                .count()
        };
        self.has("--hang-list") || (self.has("--hang-later-lists") && asked() > 1)
    }

    fn number(&self, option: &str) -> Option<usize> {
        let prefix = format!("{option}=");
        let given = self.options.iter().find_map(|o| o.strip_prefix(&prefix))?;
        given.parse().ok()
    }

    fn template(&self) -> Option<&str> {
        let prefix = "--template=";
        self.options.iter().find_map(|o| o.strip_prefix(prefix))
    }

    fn dies_at_start(&self) -> bool {
        let first = lines_of(&self.journal).is_empty();
        self.write_down(r#"{"spawned":true}"#);
        self.has("--crash-at-start") || (self.has("--crash-once") && first)
    }

    fn write_down(&self, line: &str) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.journal)
            .unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn receive(self: &Arc<Self>, line: String) {
        self.write_down(&line);
        let Some(frame) = Frame::parse(&line) else {
            eprintln!("scripted backend: not a frame: {line}");
            return;
        };
        if frame.method.is_none() {
            if let Some(waiting) = self.waiting.lock().unwrap().remove(frame.id()) {
                let _ = waiting.send(line);
            }
        } else if self.has("--serial") || frame.method() != "tools/call" {
            self.answer(&frame);
        } else {
            let script = Arc::clone(self);
            thread::spawn(move || script.answer(&frame));
        }
    }

    fn answer(&self, frame: &Frame) {
        if frame.method() == "notifications/cancelled" {
            let gone = frame.param("requestId");
            self.subscriptions.lock().unwrap().retain(|id| *id != gone);
        }
        if frame.id.is_none() {
            if frame.method() == "notifications/initialized" && self.has("--asks-roots") {
                self.send(r#"{"jsonrpc":"2.0","id":0,"method":"roots/list"}"#);
            }
            return;
        }
        if self.has("--modern") {
            return self.answer_modern(frame);
        }
        match frame.method() {
            "initialize" => {
                let identity = offer::identity("scripted-stdio").to_string();
                self.send(&frame::result(frame.id(), &identity));
            }
            "ping" if self.has("--no-ping") => self.refuse(frame),
            "tools/list" if self.hangs_in_list() => {}
            "resources/list" if self.has("--unready-second-life") && self.lives() > 1 => {
                self.send(&frame::error(frame.id(), -32603, "Not ready yet"));
            }
            "tools/list" => self.send(&self.tools_page(frame)),
            "resources/templates/list" if self.template().is_some() => {
                let templates = json!([{"uriTemplate": self.template(), "name": "any"}]);
                let list = json!({"resourceTemplates": templates}).to_string();
                self.send(&frame::result(frame.id(), &list));
            }
            "tools/call" => scripted_tools::call(self, frame),
            "resources/subscribe" if frame.uri().is_some_and(|uri| uri.starts_with("hang:")) => {}
            _ => match offer::plain_answer(frame) {
                Some(answer) => self.send(&answer),
                None => self.refuse(frame),
            },
        }
    }

    /// As a server of revision 2026-07-28 alone does.
    fn answer_modern(&self, frame: &Frame) {
        if frame.method() == "subscriptions/listen" {
            let id = serde_json::from_str(frame.id()).unwrap_or_default();
            let acknowledged = "notifications/subscriptions/acknowledged";
            let mut open = self.subscriptions.lock().unwrap();
            self.send(&tagged(&id, acknowledged));
            open.push(id);
            return;
        }
        let Some(answered) = modern_offer::answer(frame) else {
            return;
        };
        for line in answered.before.iter().chain([&answered.text]) {
            self.send(line);
        }
        if frame.asked().is_some_and(|asked| asked.name == "log") {
            for id in &*self.subscriptions.lock().unwrap() {
                self.send(&tagged(id, "notifications/tools/list_changed"));
            }
        }
    }

    fn refuse(&self, frame: &Frame) {
        self.send(&frame::error(frame.id(), -32601, "Method not found"));
    }

    fn tools_page(&self, frame: &Frame) -> String {
        if self.has("--grows") && self.lives() > 1 {
            let tools = json!({"tools": [offer::tool("echo"), offer::tool("second_life")]});
            return frame::result(frame.id(), &tools.to_string());
        }
        let names: &[&str] = if self.has("--late-tools") && !*self.revealed.lock().unwrap() {
            &[]
        } else {
            TOOLS
        };
        let pages = self.number("--pages").unwrap_or(1);
        let page: usize = frame.cursor().and_then(|c| c.parse().ok()).unwrap_or(0);
        let size = names.len().div_ceil(pages).max(1);
        let tools: Vec<_> = names
            .iter()
            .skip(page * size)
            .take(size)
            .map(|name| offer::tool(name))
            .collect();
        let asks = self.has("--asks").then(|| offer::tool("ask"));
        let tools: Vec<_> = tools.into_iter().chain(asks).collect();
        let mut result = json!({"tools": tools});
        if self.has("--endless-pages") {
            result["nextCursor"] = json!("0");
        } else if page + 1 < pages {
            result["nextCursor"] = json!((page + 1).to_string());
        }
        frame::result(frame.id(), &result.to_string())
    }
}

/// A notification of a subscription.
fn tagged(id: &Value, method: &str) -> String {
    let params = json!({"_meta": {"io.modelcontextprotocol/subscriptionId": id}});
    json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string()
}

/// The lines of a journal so far.
pub(crate) fn lines_of(journal: &Path) -> Vec<String> {
    let text = std::fs::read(journal).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .lines()
        .map(str::to_owned)
        .collect()
}

/// How many calls of a tool a journal holds.
pub(crate) fn calls_in(journal: &Path, tool: &str) -> usize {
    lines_of(journal)
        .iter()
        .filter_map(|line| Frame::parse(line)?.called_tool())
        .filter(|name| name == tool)
        .count()
}
