//! The supervising mode of the binary: a small process between the gateway and a child, which ends the child and its
//! whole process group when the gateway is gone, however it went.
//!
//! The child inherits the supervisor's standard streams, and the supervisor lets go of them: no byte passes through here.

use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::{ExitCode, ExitStatus},
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getppid, kill_process_group, pidfd_open};
use rustix::stdio::{dup2_stdin, dup2_stdout};
use tokio::{
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
    sync::oneshot::{self, error::RecvError},
    time::{interval, timeout},
};

/// How long a child may take to end after SIGTERM before it gets SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// How often the parent is looked for where the kernel has no pidfd.
const POLL: Duration = Duration::from_millis(200);
/// The shell's exit code for a program that could not be started.
const NOT_STARTED: u8 = 126;

/// Runs `arguments` (the gateway's process id, the program, its arguments) and returns the program's exit code, 128 + n
/// where signal n ended it, 126 where it did not start.
#[must_use]
pub fn supervise(arguments: Vec<OsString>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let status =
        runtime.and_then(|runtime| runtime.block_on(watch(arguments, let_go_of_the_pipes)));
    match status {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("mcp-gateway: {error}");
            ExitCode::from(NOT_STARTED)
        }
    }
}

async fn watch(
    arguments: Vec<OsString>,
    let_go: impl FnOnce() -> io::Result<()>,
) -> io::Result<ExitStatus> {
    let mut arguments = arguments.into_iter();
    let gateway = arguments
        .next()
        .and_then(|pid| Pid::from_raw(pid.to_str()?.parse().ok()?));
    let (Some(gateway), Some(program)) = (gateway, arguments.next()) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "supervise takes a process id and a command",
        ));
    };
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let named = |error| io::Error::other(format!("cannot start `{}`: {error}", program.display()));
    let mut child = Command::new(&program)
        .args(arguments)
        .process_group(0)
        .spawn()
        .map_err(named)?;
    let_go()?;
    let group = child
        .id()
        .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let status = tokio::select! {
        status = child.wait() => status,
        () = gone(gateway) => end(&mut child, group).await,
        _ = terminate.recv() => end(&mut child, group).await,
        _ = interrupt.recv() => end(&mut child, group).await,
    };
    kill(group, Signal::KILL);
    status
}

/// Points our own ends of the child's pipes elsewhere, so that each side sees at once when the other closes one.
fn let_go_of_the_pipes() -> io::Result<()> {
    let nothing = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    dup2_stdin(&nothing)?;
    dup2_stdout(&nothing)?;
    Ok(())
}

async fn end(child: &mut Child, group: Option<Pid>) -> io::Result<ExitStatus> {
    kill(group, Signal::TERM);
    if let Ok(status) = timeout(GRACE, child.wait()).await {
        return status;
    }
    kill(group, Signal::KILL);
    child.wait().await
}

/// Signals what is left of the group; a group that is already gone is what was wanted.
fn kill(group: Option<Pid>, signal: Signal) {
    if let Some(group) = group {
        let _ = kill_process_group(group, signal);
    }
}

/// Returns when the process `gateway` has ended. It is our parent: once it has ended we have another.
async fn gone(gateway: Pid) {
    let ended = || getppid() != Some(gateway);
    if let Ok(process) = pidfd_open(gateway, PidfdFlags::empty())
        && !ended()
    {
        let _ = wait(process).await;
    }
    let mut ticks = interval(POLL);
    while !ended() {
        ticks.tick().await;
    }
}

/// Returns when the process behind `pidfd` has ended. The waiting thread ends with this process.
async fn wait(pidfd: OwnedFd) -> Result<(), RecvError> {
    let (ended, told) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], None);
        let _ = ended.send(());
    });
    told.await
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok())
        .unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, gateway: u32) -> ExitStatus {
        let arguments = [&gateway.to_string(), "sh", "-c", script].map(OsString::from);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(watch(arguments.to_vec(), || Ok(())))
            .unwrap()
    }

    fn parent() -> u32 {
        getppid().unwrap().as_raw_nonzero().get().unsigned_abs()
    }

    #[test]
    fn the_exit_code_of_the_child_is_passed_on() {
        assert_eq!(exit_code(run("exit 7", parent())), 7);
        assert_eq!(exit_code(run("kill -9 $$", parent())), 137);
    }

    #[test]
    fn a_child_whose_gateway_is_gone_is_ended() {
        let not_our_parent = std::process::id();
        assert_eq!(run("exec sleep 60", not_our_parent).signal(), Some(15));
    }
}
