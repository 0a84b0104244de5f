//! A child in its own process group: how it is started, ended, and what is said of its death.

use std::{
    fmt::Write as _,
    io,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

use super::stderr::LastWords;
use crate::backend::{BackendSettings, StdioSettings};

/// How long a child may take to end by itself once its stdin is closed.
const AFTER_CLOSE: Duration = Duration::from_secs(1);
/// How long it may take after SIGTERM; the supervisor needs two seconds of it to escalate by itself.
const AFTER_TERM: Duration = Duration::from_secs(4);
/// How long to wait for the exit status and the rest of stderr once stdout has ended.
const POST_MORTEM: Duration = Duration::from_secs(1);

/// A running child. Dropping it sends SIGTERM to its group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    last_words: Arc<LastWords>,
    listener: JoinHandle<()>,
}

/// The two ends that carry protocol.
#[derive(Debug)]
pub(super) struct Pipes {
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
}

impl Process {
    /// Starts `program`, which [`super::program::locate`] found for `settings`.
    pub(super) fn start(
        backend: &Arc<BackendSettings>,
        program: &Path,
        settings: &StdioSettings,
    ) -> io::Result<(Self, Pipes)> {
        let mut child = command(program, settings).spawn()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("the child has no pipes"));
        };
        let last_words = Arc::new(LastWords::default());
        let listener = tokio::spawn({
            let (backend, last_words) = (Arc::clone(backend), Arc::clone(&last_words));
            async move { last_words.listen(&backend, stderr).await }
        });
        Ok((
            Self {
                child,
                last_words,
                listener,
            },
            Pipes { stdin, stdout },
        ))
    }

    /// Ends the child, whose stdin is already closed: waits a little, then SIGTERM, then SIGKILL to its group.
    pub(super) async fn end(mut self) {
        if timeout(AFTER_CLOSE, self.child.wait()).await.is_ok() {
            return;
        }
        self.signal(Signal::TERM);
        if timeout(AFTER_TERM, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
        }
    }

    /// Says how the child ended, with its last lines of stderr. A child that closed its stdout and still runs is ended.
    pub(super) async fn post_mortem(mut self) -> Box<str> {
        let mut text = match timeout(POST_MORTEM, self.child.wait()).await {
            Ok(Ok(status)) => describe(status),
            Ok(Err(error)) => {
                format!("the child process ended, its exit status is unknown: {error}")
            }
            Err(_) => "the child process closed its stdout without exiting".to_owned(),
        };
        let _ = timeout(POST_MORTEM, &mut self.listener).await;
        if let Some(words) = self.last_words.text() {
            let _ = write!(text, "; its last lines on stderr:\n{words}");
        }
        text.into()
    }

    fn signal(&self, signal: Signal) {
        let group = self
            .child
            .id()
            .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.signal(Signal::TERM);
    }
}

fn command(program: &Path, settings: &StdioSettings) -> Command {
    let mut command = match &settings.supervisor {
        Some(supervisor) => {
            let mut command = Command::new(supervisor);
            command
                .arg("supervise")
                .arg("--")
                .arg(std::process::id().to_string())
                .arg(program);
            command
        }
        None => Command::new(program),
    };
    // They may hold the gateway's own secrets.
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("MCP_GATEWAY_")) {
        command.env_remove(name);
    }
    command
        .args(&settings.args)
        .envs(
            settings
                .env
                .iter()
                .map(|(name, value)| (name, value.expose())),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(cwd) = &settings.cwd {
        command.current_dir(cwd);
    }
    command
}

/// The supervisor reports a signal as 128 + its number, as a shell does.
fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code @ 129..=159), _) => {
            format!("the child process was ended by signal {}", code - 128)
        }
        (Some(code), _) => format!("the child process exited with status {code}"),
        (None, Some(signal)) => format!("the child process was ended by signal {signal}"),
        (None, None) => "the child process ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::TransportSettings;

    fn shell(script: &str) -> (Process, Pipes) {
        let settings = StdioSettings::new("sh", &["-c", script]);
        let backend = BackendSettings::new("test", TransportSettings::Stdio(settings.clone()));
        Process::start(&Arc::new(backend), Path::new("/bin/sh"), &settings).unwrap()
    }

    #[tokio::test]
    async fn a_death_is_told_with_its_status_and_last_words() {
        let (process, _pipes) = shell("echo first >&2; echo out of cheese >&2; exit 3");
        let told = process.post_mortem().await;
        assert_eq!(
            &*told,
            "the child process exited with status 3; its last lines on stderr:\nfirst\nout of cheese"
        );
        let (process, _pipes) = shell("kill -9 $$");
        assert_eq!(
            &*process.post_mortem().await,
            "the child process was ended by signal 9"
        );
    }

    #[tokio::test]
    async fn a_child_that_reads_its_stdin_ends_when_it_is_closed() {
        let (mut process, pipes) = shell("cat >/dev/null");
        drop(pipes);
        assert!(process.child.wait().await.unwrap().success());
        process.end().await;
    }
}
