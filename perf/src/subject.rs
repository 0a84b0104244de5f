//! The gateway that is measured: built, configured, started and asked.

use std::{
    env, fs, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use crate::{
    http::{Connection, header, post},
    process::Process,
};

/// How often a gateway that starts is asked again, and how often in all.
const KNOCK_INTERVAL: Duration = Duration::from_micros(200);
const KNOCKS: u32 = 50_000;

const LIST_SERVERS: &str = r#"{"jsonrpc":"2.0","id":1,"method":"gateway_list_servers"}"#;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"perf","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// The release build, made if it is not fresh.
pub(crate) fn build() -> io::Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args([
            "build",
            "--release",
            "-p",
            "mcp-gateway",
            "--bin",
            "mcp-gateway",
        ])
        .status()?;
    if !status.success() {
        return Err(io::Error::other("the release build failed"));
    }
    Ok(env::current_exe()?.with_file_name("mcp-gateway"))
}

/// One running gateway and its configuration file.
pub(crate) struct Subject {
    process: Process,
    config: PathBuf,
    pub(crate) address: SocketAddr,
}

impl Subject {
    /// Starts a gateway whose only backend, `constant`, listens on the given port; without a port it has none.
    pub(crate) fn start(gateway: &Path, upstream: Option<u16>) -> io::Result<Self> {
        let port = free_port()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let config = env::temp_dir().join(format!("mcp-gateway-perf-{port}.yaml"));
        fs::write(&config, configuration(upstream))?;
        let mut command = Command::new(gateway);
        command.args(["--port", &port.to_string(), "--log-level", "warn", "-c"]);
        command.arg(&config);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command)?;
        Ok(Self {
            process,
            config,
            address,
        })
    }

    /// Asks until it answers the first question.
    pub(crate) fn first_answer(&mut self) -> io::Result<()> {
        let question = post("/mcp", self.address, "", LIST_SERVERS);
        for _ in 0..KNOCKS {
            if let Ok(mut connection) = Connection::open(self.address) {
                let answer = connection.exchange(&question)?;
                return expect_status(answer.status(), 200);
            }
            if let Some(status) = self.process.ended()? {
                return Err(io::Error::other(format!("the gateway ended: {status}")));
            }
            thread::sleep(KNOCK_INTERVAL);
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    pub(crate) const fn process(&self) -> &Process {
        &self.process
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.config));
    }
}

/// Opens an MCP session; gives the headers that later requests of it carry.
pub(crate) fn open_session(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut connection = Connection::open(address)?;
    let opened = connection.exchange(&post(path, address, "", INITIALIZE))?;
    expect_status(opened.status(), 200)?;
    let session = header(&opened.head, "mcp-session-id")
        .ok_or_else(|| io::Error::other("initialize opened no session"))?;
    let headers = format!("Mcp-Session-Id: {session}\r\nMCP-Protocol-Version: 2025-11-25\r\n");
    let accepted = connection.exchange(&post(path, address, &headers, INITIALIZED))?;
    expect_status(accepted.status(), 202)?;
    Ok(headers)
}

fn expect_status(status: u16, expected: u16) -> io::Result<()> {
    if status == expected {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "the answer has status {status}, not {expected}"
    )))
}

fn configuration(upstream: Option<u16>) -> String {
    match upstream {
        None => "backends: {}\n".to_owned(),
        Some(port) => {
            format!("backends:\n  constant:\n    http_url: http://127.0.0.1:{port}/mcp\n")
        }
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
