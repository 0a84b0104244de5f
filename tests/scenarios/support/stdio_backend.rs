//! A scripted stdio backend as a test holds it: what to write in the configuration, and what reached it.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    frame::Frame,
    scripted_stdio::{calls_in, lines_of},
};

/// One scripted backend; its journal outlives the children that play it.
pub(crate) struct StdioBackend {
    options: Vec<String>,
    journal: PathBuf,
    _home: TempDir,
}

impl StdioBackend {
    /// A backend with the given options of `scripted-backend`.
    pub(crate) fn new(options: &[&str]) -> Self {
        let home = TempDir::new().unwrap();
        Self {
            options: options.iter().map(|&option| option.to_owned()).collect(),
            journal: home.path().join("journal"),
            _home: home,
        }
    }

    /// The program and arguments that start it.
    pub(crate) fn command(&self) -> (String, Vec<String>) {
        let program = std::env::current_exe().unwrap();
        let mut arguments = vec![
            "scripted-backend".to_owned(),
            self.journal.to_str().unwrap().to_owned(),
        ];
        arguments.extend(self.options.iter().cloned());
        (program.to_str().unwrap().to_owned(), arguments)
    }

    /// Its entry under `backends` in the configuration.
    pub(crate) fn config(&self) -> Value {
        let (command, args) = self.command();
        json!({"command": command, "args": args})
    }

    /// How often a tool was called.
    pub(crate) fn calls(&self, tool: &str) -> usize {
        calls_in(&self.journal, tool)
    }

    /// How often the program was started.
    pub(crate) fn starts(&self) -> usize {
        self.lines()
            .iter()
            .filter(|line| line.contains(r#"{"spawned":true}"#))
            .count()
    }

    /// The process ids of all lives that came as far as reading.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.lines()
            .iter()
            .filter_map(|line| {
                let entry: Value = serde_json::from_str(line).ok()?;
                u32::try_from(entry.get("started")?.as_u64()?).ok()
            })
            .collect()
    }

    /// The messages of one method, as they arrived.
    pub(crate) fn received(&self, method: &str) -> Vec<String> {
        self.lines()
            .into_iter()
            .filter(|line| Frame::parse(line).is_some_and(|frame| frame.method() == method))
            .collect()
    }

    /// Everything that arrived, and the marks of each start and end.
    pub(crate) fn lines(&self) -> Vec<String> {
        lines_of(&self.journal)
    }
}
