//! What can be typed.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::{compare::Options, footprint::Footprint, load::Load, upstream::Upstream};

/// What a user feels of the gateway, measured on this machine.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The measurements, and the other ends that they need.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Compare(Options),
    Load(Load),
    Footprint(Footprint),
    /// A mock MCP server: over HTTP it prints its port; it ends with its standard input.
    Upstream(Upstream),
    /// Runs a command until standard input ends.
    #[command(hide = true)]
    Keep {
        /// The command and its arguments.
        #[arg(last = true)]
        command: Vec<OsString>,
    },
}
