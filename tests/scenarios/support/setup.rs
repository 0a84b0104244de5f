//! A gateway before it is started: its configuration, its environment, its arguments.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::Gateway;

/// How a gateway is to be started. Nothing of the surroundings reaches it but `PATH`.
pub(crate) struct Setup {
    home: TempDir,
    config: Option<String>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
}

/// A gateway that ended by itself.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit code; -1 where a signal ended it.
    pub(crate) code: i32,
    /// All of its standard output.
    pub(crate) stdout: String,
    /// All of its standard error.
    pub(crate) stderr: String,
}

impl Setup {
    /// A gateway with these backends and no other setting.
    pub(crate) fn backends(backends: Value) -> Self {
        Self::config(json!({"backends": backends}))
    }

    /// A gateway with this configuration; JSON is YAML.
    pub(crate) fn config(config: Value) -> Self {
        Self::text(&config.to_string())
    }

    /// A gateway with this configuration file.
    pub(crate) fn text(config: &str) -> Self {
        let mut setup = Self::unconfigured();
        setup.config = Some(config.to_owned());
        setup
    }

    /// A gateway that finds no configuration.
    pub(crate) fn unconfigured() -> Self {
        Self {
            home: TempDir::new().unwrap(),
            config: None,
            environment: Vec::new(),
            arguments: Vec::new(),
        }
    }

    /// Adds an environment variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Adds several.
    pub(crate) fn args(self, arguments: &[&str]) -> Self {
        arguments
            .iter()
            .fold(self, |setup, argument| setup.arg(argument))
    }

    /// The directory that is its home and where it runs.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Starts it on a free port and waits until it answers.
    pub(crate) fn start(mut self) -> Gateway {
        self.arguments.extend(["--port".to_owned(), "0".to_owned()]);
        let child = self.command().spawn().unwrap();
        Gateway::watch(child, self.home)
    }

    /// Runs it to its end, which must come by itself.
    pub(crate) fn run(self) -> Ended {
        let output = self.command().stdin(Stdio::null()).output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The command that starts it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-gateway"));
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("RUST_LOG", "mcp_gateway=debug")
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(config) = &self.config {
            let file = self.home.path().join("gateway.yaml");
            std::fs::write(&file, config).unwrap();
            command.arg("-c").arg(file);
        }
        command.args(&self.arguments);
        command
    }
}
