//! Which command of `cap` it is.

use super::{args::CapCommand, import, list, pin, validate};
use crate::cli::ended::Ended;

pub(in crate::cli) fn run(command: &CapCommand) -> Result<(), Ended> {
    match command {
        CapCommand::List { places } => list::list(places),
        CapCommand::Validate { places } => validate::validate(places),
        CapCommand::Pin { files } => pin::pin(files),
        CapCommand::Import(options) => import::import(options),
    }
}
