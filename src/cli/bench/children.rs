//! The two processes of a run: the echo and the gateway before it. Each ends with the run, however that ends.

use std::{env, fs, io, net::SocketAddr, path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader, Lines},
    process::{Child, Command},
    time::timeout,
};

use super::account::Account;

/// How long a process may take until it serves, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(10);
/// What the gateway's banner says before its address.
const LISTENS: &str = " listens on http://";

/// A process of this program, under a supervisor that ends it when this process is gone.
pub(super) struct Served {
    supervisor: Child,
    pub(super) address: SocketAddr,
}

impl Served {
    /// Starts an echo.
    pub(super) async fn echo(program: &Path) -> io::Result<Self> {
        let mut command = supervised(program);
        command.arg("echo").stdout(Stdio::piped());
        let mut supervisor = command.spawn()?;
        let output = supervisor.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(output).lines();
        let said = first(&mut lines, |line| line.trim().parse::<u16>().ok()).await?;
        let address = SocketAddr::from(([127, 0, 0, 1], said));
        Ok(Self {
            supervisor,
            address,
        })
    }

    /// Starts a gateway before the echo, with no other setting than that.
    pub(super) async fn gateway(
        program: &Path,
        echo: SocketAddr,
        log_level: &str,
    ) -> io::Result<Self> {
        let mut command = supervised(program);
        for (name, _) in env::vars_os() {
            if name.to_string_lossy().starts_with("MCP_GATEWAY_") {
                command.env_remove(name);
            }
        }
        command
            .args(["--port", "0", "--log-level", log_level, "-c", "/dev/null"])
            .env(
                "MCP_GATEWAY_BACKENDS__ECHO__HTTP_URL",
                format!("http://{echo}/mcp"),
            )
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut supervisor = command.spawn()?;
        let log = supervisor.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(log).lines();
        let address = first(&mut lines, listening).await?;
        // Somebody reads it, as elsewhere: lines that find no room cost less than those that do.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            supervisor,
            address,
        })
    }

    /// Its own costs, without those of its supervisor.
    pub(super) fn account(&self) -> io::Result<Account> {
        Ok(Account::family(self.pid()?).alone())
    }

    /// Ends it, and returns when it has ended.
    pub(super) async fn end(mut self) {
        let pid = self.supervisor.id().and_then(|id| i32::try_from(id).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // One that has ended already is what was wanted.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = timeout(PATIENCE, self.supervisor.wait()).await;
    }

    /// The process itself: the one child of its supervisor.
    fn pid(&self) -> io::Result<u32> {
        let supervisor = self.supervisor.id().ok_or(io::ErrorKind::BrokenPipe)?;
        let children = format!("/proc/{supervisor}/task/{supervisor}/children");
        let children = fs::read_to_string(children)?;
        let child = children.split_whitespace().next();
        child
            .and_then(|child| child.parse().ok())
            .ok_or_else(|| io::Error::other("a process of the run has ended"))
    }
}

fn supervised(program: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["supervise", "--"])
        .arg(std::process::id().to_string())
        .arg(program)
        .stdin(Stdio::null());
    command
}

/// What the first line that says it says.
async fn first<T>(
    lines: &mut Lines<BufReader<impl AsyncRead + Unpin>>,
    read: impl Fn(&str) -> Option<T>,
) -> io::Result<T> {
    let said = async {
        let mut last = String::new();
        while let Some(line) = lines.next_line().await? {
            if let Some(said) = read(&line) {
                return Ok(said);
            }
            last = line;
        }
        Err(io::Error::other(format!("it ended and said: {last}")))
    };
    let in_time = timeout(PATIENCE, said).await;
    in_time.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

fn listening(line: &str) -> Option<SocketAddr> {
    let (_, url) = line.split_once(LISTENS)?;
    url.split('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_banner_says_the_address() {
        let line = "mcp-gateway 0.1.0 listens on http://127.0.0.1:4711/mcp";
        assert_eq!(listening(line), Some(([127, 0, 0, 1], 4711).into()));
        assert_eq!(listening("  configuration: /dev/null"), None);
    }
}
