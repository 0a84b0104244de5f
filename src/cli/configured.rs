//! The configuration, with what was typed laid over what was written.

use std::env;

use super::{args::Options, ended::Ended};
use crate::config::{self, Config, Environment, Sources};

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
