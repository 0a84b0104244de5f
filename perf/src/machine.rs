//! Which machine a run was made on, and how quiet it was.

use std::{fs, process::Command, thread};

/// Lines that say where and on what a run was made.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
    format!(
        "machine: {}, {cores} cores, Linux {}\nload average before the run: {}\n\
         niceness of all that is measured: {}\ncommit: {}\n",
        processor(),
        first_line("/proc/sys/kernel/osrelease"),
        first_line("/proc/loadavg"),
        niceness(),
        commit(),
    )
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'));
    model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.trim().to_owned())
}

/// Field 19 of proc_pid_stat(5); the children inherit it.
fn niceness() -> String {
    let stat = first_line("/proc/self/stat");
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let field = behind_name.split_whitespace().nth(16);
    field.unwrap_or("unknown").to_owned()
}

fn first_line(path: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_owned()
}

fn commit() -> String {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty"])
        .output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
