//! From arguments to an exit code.

use std::{env, ffi::OsString, process::ExitCode};

use clap::Parser;

use super::{
    args::{Arguments, Command, Options},
    demo,
    ended::Ended,
    serve, validate,
};
use crate::{
    backend,
    config::{self, Config, Environment, Sources},
};

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
        None | Some(Command::Serve) => serve::serve(options),
        Some(Command::Validate) => validate::validate(options),
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

/// The configuration with what was typed laid over it.
pub(super) fn configured(options: &Options) -> Result<Config, Ended> {
    let program = env::current_exe().map_err(|error| {
        Ended::Failed(format!(
            "The path of this program cannot be found out ({error}), so it cannot start its children. Start it by its full path."
        ))
    })?;
    let mut config = config::load(&Sources {
        file: options.config.clone(),
        environment: Environment::of_process(),
        program,
    })?;
    config.server.host = options.host.unwrap_or(config.server.host);
    config.server.port = options.port.unwrap_or(config.server.port);
    config.gateway.meta_mcp.enabled &= !options.no_meta_mcp;
    Ok(config)
}
