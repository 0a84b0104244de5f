//! Which command of `cap` it is.

use super::{args::CapCommand, call, import, list, pin, validate};
use crate::cli::{args::Options, ended::Ended};

pub(in crate::cli) fn run(options: &Options, command: &CapCommand) -> Result<(), Ended> {
    match command {
        CapCommand::List { places } => list::list(options, places),
        CapCommand::Validate { places } => validate::validate(options, places),
        CapCommand::Test { name, args, places } => call::call(options, (name, args), places),
        CapCommand::Pin { files } => pin::pin(files),
        CapCommand::Import(wanted) => import::import(wanted),
    }
}
