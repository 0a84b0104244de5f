//! The ratios of the core to its rivals: has `perf/contend` measure them, and leaves them for the table.

#[path = "shared/left.rs"]
mod left;

use std::{
    env,
    process::{Command, ExitCode},
};

fn main() -> ExitCode {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let measured = Command::new(cargo)
        .args(["run", "--quiet", "--release", "-p", "contend"])
        .args(["--features", "rivals", "--", "--quick", "--ratios"])
        .arg(left::under_target("contend/ratios.tsv"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    if !measured.is_ok_and(|status| status.success()) {
        eprintln!("The rivals are not measured: perf/contend could not be built or run.");
    }
    ExitCode::SUCCESS
}
