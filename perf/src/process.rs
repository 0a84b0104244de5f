//! The processes of a measurement: started, watched through /proc, and ended with their owner.

use std::{
    fs,
    io::{self, BufRead, BufReader, Read},
    process::{self, Child, Command, Stdio},
    thread,
};

/// A child that does not outlive its owner.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts a command with its standard input held open.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        let child = command.stdin(Stdio::piped()).spawn()?;
        Ok(Self { child })
    }

    /// Starts another role of this program; gives it and the port that it prints.
    pub(crate) fn start_role(arguments: &[&str]) -> io::Result<(Self, u16)> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut started = Self::start(command.args(arguments).stdout(Stdio::piped()))?;
        let output = started.child.stdout.take();
        let mut line = String::new();
        BufReader::new(output.ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut line)?;
        let port = line.trim().parse().map_err(io::Error::other)?;
        Ok((started, port))
    }

    /// Time on a processor since its start, all its threads together, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> io::Result<u64> {
        let mut total = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let on_cpu = text.split(' ').next().unwrap_or_default();
            total += on_cpu.parse::<u64>().map_err(io::Error::other)?;
        }
        Ok(total)
    }

    /// Memory that is resident, in KiB.
    pub(crate) fn resident_kib(&self) -> io::Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number
            .and_then(|number| number.trim().parse().ok())
            .ok_or_else(|| io::Error::other("/proc names no resident memory"))
    }

    /// Why it ended, if it did.
    pub(crate) fn ended(&mut self) -> io::Result<Option<process::ExitStatus>> {
        self.child.try_wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Ends this process when its standard input does: an owner that is killed leaves nothing behind.
pub(crate) fn end_with_standard_input() {
    thread::spawn(|| {
        drop(io::copy(
            &mut io::stdin().lock().take(u64::MAX),
            &mut io::sink(),
        ));
        process::exit(0);
    });
}
