//! What the core costs in instructions, one call of each kind; the bench `table` holds the counts to `perf/budgets.toml`.
//!
//! Needs valgrind and gungraun's runner. Where one is missing it says so and counts nothing.

#[path = "shared/calls.rs"]
mod calls;
#[path = "core_instructions/counted.rs"]
mod counted;
#[path = "shared/left.rs"]
mod left;
#[path = "shared/scraped.rs"]
mod scraped;
#[path = "shared/sixteen.rs"]
mod sixteen;

use std::{
    env, fs, io,
    process::{Command, ExitCode, Stdio},
};

/// The runner must be of the same version as the library, so both are pinned.
const TOOLS: [(&str, &str); 2] = [
    ("valgrind", "apt-get install valgrind"),
    (
        "gungraun-runner",
        "cargo install gungraun-runner --version 0.20.0 --locked",
    ),
];

fn main() -> ExitCode {
    // The runner starts this program again under valgrind: then it does the one thing it is asked to.
    let is_counted = env::args().any(|argument| argument == "--gungraun-run");
    if !is_counted && !ready() {
        return ExitCode::SUCCESS;
    }
    counted::run();
    ExitCode::SUCCESS
}

/// Whether the tools are here and what an earlier run left is gone.
fn ready() -> bool {
    let missing = TOOLS.iter().filter(|(tool, _)| !runs(tool));
    let missing: Vec<_> = missing.collect();
    for (tool, install) in &missing {
        eprintln!("No instructions are counted: {tool} does not run here. Install it: {install}");
    }
    missing.is_empty() && forget().is_ok()
}

fn runs(tool: &str) -> bool {
    let version = Command::new(tool)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    version.is_ok()
}

fn forget() -> io::Result<()> {
    match fs::remove_dir_all(left::under_target("gungraun/mcp-gateway/core_instructions")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
