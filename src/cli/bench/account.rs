//! What a process and all that it started have cost, read from /proc. The package `perf` compiles this file too.

use std::{collections::HashMap, fs, io};

/// Processes whose costs are counted together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    pid: u32,
    /// Whether what it starts is counted too.
    family: bool,
}

/// Time on a processor by thread, in nanoseconds since its start.
#[derive(Debug)]
pub(crate) struct Spent(HashMap<(u32, u32), u64>);

impl Account {
    /// A process with all that it starts.
    pub(crate) const fn family(pid: u32) -> Self {
        Self { pid, family: true }
    }

    /// The same process without what it starts.
    pub(crate) const fn alone(self) -> Self {
        Self {
            pid: self.pid,
            family: false,
        }
    }

    /// What has been spent so far.
    pub(crate) fn spent(self) -> io::Result<Spent> {
        let mut spent = HashMap::new();
        for pid in self.processes()? {
            for thread in self.threads(pid)? {
                let path = format!("/proc/{pid}/task/{thread}/schedstat");
                // A thread may end between being listed and being read.
                let Ok(text) = fs::read_to_string(path) else {
                    continue;
                };
                let on_cpu = text.split(' ').next().unwrap_or_default();
                spent.insert((pid, thread), on_cpu.parse().map_err(io::Error::other)?);
            }
        }
        Ok(Spent(spent))
    }

    /// Memory that is resident, in KiB.
    pub(crate) fn resident_kib(self) -> io::Result<u64> {
        self.processes()?.into_iter().map(resident_kib).sum()
    }

    fn processes(self) -> io::Result<Vec<u32>> {
        let mut found = vec![self.pid];
        let mut next = 0;
        while self.family && next < found.len() {
            for thread in self.threads(found[next])? {
                let children = self.children(found[next], thread)?;
                found.extend(
                    children
                        .split_whitespace()
                        .filter_map(|pid| pid.parse::<u32>().ok()),
                );
            }
            next += 1;
        }
        Ok(found)
    }

    /// What a thread of one of the processes started; of one that has ended, nothing.
    fn children(self, pid: u32, thread: u32) -> io::Result<String> {
        match fs::read_to_string(format!("/proc/{pid}/task/{thread}/children")) {
            Err(_) if pid != self.pid => Ok(String::new()),
            found => found,
        }
    }

    /// The threads of one of the processes; of one that was started and has ended, none.
    fn threads(self, pid: u32) -> io::Result<Vec<u32>> {
        match threads(pid) {
            Err(_) if pid != self.pid => Ok(Vec::new()),
            found => found,
        }
    }
}

impl Spent {
    /// Nanoseconds from `earlier` to this. What a thread spent that ended between is not known: those that serve do not end.
    pub(crate) fn since(&self, earlier: &Self) -> u64 {
        let threads = self.0.iter();
        threads
            .map(|(thread, ns)| ns.saturating_sub(earlier.0.get(thread).copied().unwrap_or(0)))
            .sum()
    }
}

fn threads(pid: u32) -> io::Result<Vec<u32>> {
    let mut threads = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        threads.extend(
            entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u32>().ok()),
        );
    }
    Ok(threads)
}

fn resident_kib(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number
        .and_then(|number| number.trim().parse().ok())
        .ok_or_else(|| io::Error::other("/proc names no resident memory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_spent_time_and_memory() {
        let account = Account::family(std::process::id()).alone();
        let before = account.spent().unwrap();
        assert!(before.0.values().sum::<u64>() > 0);
        let after = Spent(
            before
                .0
                .iter()
                .map(|(thread, ns)| (*thread, ns + 7))
                .collect(),
        );
        assert_eq!(after.since(&before), 7 * before.0.len() as u64);
        assert!(account.resident_kib().unwrap() > 0);
    }
}
