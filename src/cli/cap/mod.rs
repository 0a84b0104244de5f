//! `cap`: what a person does with capabilities, without a gateway that runs.
//! Files and directories that are named are looked at; otherwise those of the configuration are.

mod args;
mod call;
mod import;
mod key;
mod list;
mod looked;
mod pin;
mod report;
mod run;
mod validate;

pub(super) use args::CapCommand;
pub(super) use run::run;
