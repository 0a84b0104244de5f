//! What a user feels: `cargo run --release -p perf -- compare` measures the gateway beside nginx and a direct call.

#[path = "../../src/cli/bench/account.rs"]
mod account;
mod alarm;
mod arguments;
mod compare;
mod footprint;
mod http;
mod load;
mod machine;
mod poll;
mod process;
mod subject;
mod upstream;

use std::{io, process::ExitCode};

use arguments::{Arguments, Command};
use clap::Parser;

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("perf: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> io::Result<()> {
    match command {
        Command::Compare(options) => compare::run(&options),
        Command::Load(load) => load::run(&load),
        Command::Footprint(footprint) => footprint::run(&footprint),
        Command::Upstream(upstream) => upstream::run(&upstream),
        Command::Keep { command } => process::keep(&command),
    }
}
