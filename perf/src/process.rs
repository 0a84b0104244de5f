//! The processes of a measurement: started, and ended with their owner.

use std::{
    env,
    ffi::{OsStr, OsString},
    io::{self, BufRead, BufReader, Write},
    process::{self, Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use crate::account::Account;

/// How long a process that was asked to end may take.
const FAREWELL: Duration = Duration::from_secs(5);

/// Memory that a mock server keeps, in bytes. By default the allocator hands the top of the heap back after a large answer
/// and takes it again for the next, which doubles or triples what that answer costs, by chance.
const KEPT_MEMORY: [(&str, &str); 2] = [
    ("MALLOC_TRIM_THRESHOLD_", "268435456"),
    ("MALLOC_TOP_PAD_", "16777216"),
];

/// A process that does not outlive its owner.
pub(crate) struct Process {
    child: Child,
    held: Option<ChildStdin>,
    pid: u32,
}

impl Process {
    /// Starts a command.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).spawn()?;
        let (held, pid) = (child.stdin.take(), child.id());
        Ok(Self { child, held, pid })
    }

    /// Starts another role of this program; gives it and the number that it prints.
    fn role(command: &mut Command) -> io::Result<(Self, u32)> {
        let mut started = Self::start(command.stdout(Stdio::piped()))?;
        let output = started.child.stdout.take();
        let mut line = String::new();
        BufReader::new(output.ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
        let number = line.trim().parse().map_err(|_| {
            io::Error::other("a process that was started ended before it was ready")
        })?;
        Ok((started, number))
    }

    /// Starts a mock server; gives it and its port.
    pub(crate) fn upstream(arguments: &[&str]) -> io::Result<(Self, u16)> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("upstream").args(arguments).envs(KEPT_MEMORY);
        let (process, port) = Self::role(&mut command)?;
        Ok((process, u16::try_from(port).map_err(io::Error::other)?))
    }

    /// Starts a mock server that speaks over its standard streams; gives it and its ends of them.
    pub(crate) fn upstream_over_pipes(
        arguments: &[&str],
    ) -> io::Result<(Self, (ChildStdin, ChildStdout))> {
        let mut command = Command::new(env::current_exe()?);
        command.args(arguments).stdout(Stdio::piped());
        let mut process = Self::start(&mut command)?;
        let ends = process.held.take().zip(process.child.stdout.take());
        Ok((process, ends.ok_or(io::ErrorKind::BrokenPipe)?))
    }

    /// Starts a command that does not watch its standard input under a keeper that does. What it says goes to `errors`.
    pub(crate) fn kept(command: &[&OsStr], errors: Stdio) -> io::Result<Self> {
        let mut keeper = Command::new(env::current_exe()?);
        keeper.args(["keep", "--"]).args(command).stderr(errors);
        let (mut process, pid) = Self::role(&mut keeper)?;
        process.pid = pid;
        Ok(process)
    }

    /// Its costs, with those of all that it starts.
    pub(crate) const fn account(&self) -> Account {
        Account::family(self.pid)
    }

    /// Why it ended, if it did.
    pub(crate) fn ended(&mut self) -> io::Result<Option<process::ExitStatus>> {
        self.child.try_wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A keeper ends what it keeps, and then itself.
        if self.held.take().is_none() || self.pid == self.child.id() {
            drop(self.child.kill());
        }
        drop(self.child.wait());
    }
}

/// What this process costs, without what it starts.
pub(crate) fn own_account() -> Account {
    Account::family(process::id()).alone()
}

/// Runs a command, prints its process id, and ends it when standard input ends: an owner that is killed leaves nothing
/// behind. Ends when the command does.
pub(crate) fn keep(command: &[OsString]) -> io::Result<()> {
    let [program, arguments @ ..] = command else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("a process has no id"))?;
    writeln!(io::stdout(), "{}", child.id())?;
    thread::spawn(move || {
        drain_standard_input();
        let _ = kill_process(pid, Signal::TERM);
        thread::sleep(FAREWELL);
        let _ = kill_process(pid, Signal::KILL);
    });
    let status = child.wait()?;
    if status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{program:?}: {status}")))
}

/// Ends this process when its standard input does.
pub(crate) fn end_with_standard_input() {
    thread::spawn(|| {
        drain_standard_input();
        process::exit(0);
    });
}

fn drain_standard_input() {
    drop(io::copy(&mut io::stdin().lock(), &mut io::sink()));
}
