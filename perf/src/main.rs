//! What a user feels: `cargo run --release -p perf` measures every figure that the README gives.

mod arguments;
mod compare;
mod footprint;
mod http;
mod load;
mod machine;
mod measure;
mod process;
mod pump;
mod report;
mod subject;
mod upstream;

use std::{io, process::ExitCode};

use arguments::{Arguments, Role};
use clap::Parser;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The measurement ended early: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<()> {
    match &arguments.role {
        None => measure::run(arguments),
        Some(Role::Upstream) => upstream::run(),
        Some(Role::Pump { to }) => pump::run(*to),
    }
}
