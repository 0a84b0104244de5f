//! From arguments to an exit code.

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

use super::{
    args::{Arguments, Command},
    bench, cap, demo, serve, validate, why,
};
use crate::backend;

/// Runs the program with its arguments, the first of which is its own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed standard stream leaves nobody to tell.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let options = &arguments.options;
    let ended = match arguments.command {
        None | Some(Command::Serve { stdio: false }) => serve::serve(options),
        Some(Command::Serve { stdio: true }) => serve::serve_stdio(options),
        Some(Command::Validate) => validate::validate(options),
        Some(Command::Why { name }) => why::why(options, &name),
        Some(Command::Cap(command)) => cap::run(options, &command),
        Some(Command::Bench(bench)) => bench::run(options, &bench),
        Some(Command::Echo) => return bench::echo(),
        Some(Command::Demo) => return demo::run(),
        Some(Command::Supervise { arguments }) => return backend::supervise(arguments),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(ended) => {
            eprintln!("{ended}");
            ended.code()
        }
    }
}
