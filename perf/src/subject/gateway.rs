//! The gateway that is measured: built, configured, started and asked.

use std::{
    env,
    ffi::OsStr,
    fmt::Write,
    fs::{self, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::{
    place::{free, wait_for},
    session::expect,
};
use crate::{
    account::Account,
    http::{Connection, post},
    process::Process,
};

const LIST_SERVERS: &str = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_list_servers"}"#;

/// The release build, made if it is not fresh.
pub(crate) fn build() -> io::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "build",
        "--release",
        "-p",
        "mcp-gateway",
        "--bin",
        "mcp-gateway",
    ]);
    if !command.status()?.success() {
        return Err(io::Error::other("the release build failed"));
    }
    Ok(env::current_exe()?.with_file_name("mcp-gateway"))
}

/// A server that the gateway stands before.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    /// The line of its configuration that says how it is reached.
    pub(crate) reached: String,
}

impl Backend {
    /// A child process.
    pub(crate) fn stdio(name: &'static str, program: &Path, arguments: &[&str]) -> Self {
        let (program, arguments) = (program.display(), arguments.join(" "));
        let reached = format!("command: \"'{program}' {arguments}\"");
        Self { name, reached }
    }

    /// One that listens on a port.
    pub(crate) fn http(name: &'static str, port: u16) -> Self {
        let reached = format!("http_url: http://127.0.0.1:{port}/mcp");
        Self { name, reached }
    }
}

/// How much a gateway shows of itself while it is measured. Its metrics are always there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shows {
    /// Warnings.
    Warnings,
    /// A line of text for each call.
    Lines,
    /// A line of JSON for each call, and the spans of one request in a hundred.
    Everything {
        /// The port of whoever takes the spans.
        collector: u16,
    },
}

impl Shows {
    const fn words(self) -> [&'static str; 4] {
        let (level, format) = match self {
            Self::Warnings => ("warn", "text"),
            Self::Lines => ("info", "text"),
            Self::Everything { .. } => ("info", "json"),
        };
        ["--log-level", level, "--log-format", format]
    }

    fn section(self) -> String {
        match self {
            Self::Everything { collector } => format!(
                "telemetry: {{traces: {{endpoint: 'http://127.0.0.1:{collector}', sample: 0.01}}}}\n"
            ),
            _ => String::new(),
        }
    }
}

/// One running gateway with its folder.
pub(crate) struct Gateway {
    process: Process,
    folder: TempDir,
    pub(crate) address: SocketAddr,
}

impl Gateway {
    /// Starts a gateway that the end of this process ends too.
    pub(crate) fn serve(program: &Path, shows: Shows, backends: &[Backend]) -> io::Result<Self> {
        let (address, folder) = prepared(shows, backends)?;
        let (config, port) = (
            folder.path().join("gateway.yaml"),
            address.port().to_string(),
        );
        let words = ["--port", &port, "-c"].map(OsStr::new);
        let command = [
            &[program.as_os_str()],
            shows.words().map(OsStr::new).as_slice(),
            words.as_slice(),
            &[config.as_os_str()],
        ]
        .concat();
        let log = File::create(folder.path().join("log"))?;
        let process = Process::kept(&command, log.into())?;
        let mut gateway = Self {
            process,
            folder,
            address,
        };
        if let Err(error) = gateway.first_answer() {
            let log = gateway.log();
            return Err(io::Error::other(format!(
                "the gateway does not serve: {error}: {log}"
            )));
        }
        Ok(gateway)
    }

    /// Starts a gateway without backends and without anything between it and us: what is timed.
    pub(crate) fn bare(program: &Path) -> io::Result<Self> {
        let (address, folder) = prepared(Shows::Warnings, &[])?;
        let mut command = Command::new(program);
        command.args([
            "--port",
            &address.port().to_string(),
            "--log-level",
            "warn",
            "-c",
        ]);
        command.arg(folder.path().join("gateway.yaml"));
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command)?;
        Ok(Self {
            process,
            folder,
            address,
        })
    }

    /// Asks until it answers the first question.
    pub(crate) fn first_answer(&mut self) -> io::Result<()> {
        wait_for(&mut self.process, self.address)?;
        let question = post("/mcp", self.address, "", LIST_SERVERS);
        let mut connection = Connection::open(self.address)?;
        expect(connection.exchange(&question)?.status(), 200)
    }

    /// What it costs, with its children.
    pub(crate) const fn account(&self) -> Account {
        self.process.account()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

/// An address and a folder with a configuration.
fn prepared(shows: Shows, backends: &[Backend]) -> io::Result<(SocketAddr, TempDir)> {
    let folder = tempfile::Builder::new()
        .prefix("mcp-gateway-perf-")
        .tempdir()?;
    let text = shows.section() + &configuration(backends);
    fs::write(folder.path().join("gateway.yaml"), text)?;
    Ok((free()?, folder))
}

fn configuration(backends: &[Backend]) -> String {
    if backends.is_empty() {
        return "backends: {}\n".to_owned();
    }
    let mut text = "backends:\n".to_owned();
    for Backend { name, reached } in backends {
        // Writing to a string cannot fail.
        let _ = write!(text, "  {name}:\n    {reached}\n");
    }
    text
}
