//! `cap`: what a person asks about capabilities, without a gateway that runs.

mod args;
mod list;
mod looked;
mod pin;
mod run;
mod validate;

pub(super) use args::CapCommand;
pub(super) use run::run;
