//! The configuration, with what was typed laid over what was written.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{args::Options, ended::Ended};
use crate::config::{self, Config, Environment, Sources};

/// The configuration with what was typed laid over it.
pub(super) fn configured(options: &Options) -> Result<Config, Ended> {
    configured_for(&program()?, options)
}

/// The same for a program that is known already: on disk another one may have taken its place.
pub(super) fn configured_for(program: &Path, options: &Options) -> Result<Config, Ended> {
    let mut config = config::load(&sources(program, options))?;
    config.server.host = options.host.unwrap_or(config.server.host);
    config.server.port = options.port.unwrap_or(config.server.port);
    config.gateway.meta_mcp.enabled &= !options.no_meta_mcp;
    Ok(config)
}

/// What the configuration is read from.
pub(super) fn sources(program: &Path, options: &Options) -> Sources {
    Sources {
        file: options.config.clone(),
        environment: Environment::of_process(),
        program: program.to_path_buf(),
    }
}

/// This program, which starts its children through itself.
pub(super) fn program() -> Result<PathBuf, Ended> {
    env::current_exe().map_err(|error| {
        Ended::Failed(format!(
            "The path of this program cannot be found out ({error}), so it cannot start its children. Start it by its full path."
        ))
    })
}
