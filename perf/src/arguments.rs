//! What can be typed.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Parser, Subcommand};

/// Measures the gateway against a direct call, in one run and in turns.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// The gateway to measure; without it the release build is made and measured.
    #[arg(long)]
    pub(crate) gateway: Option<PathBuf>,
    /// Turns of every comparison; the figures are their medians.
    #[arg(long, default_value_t = 15)]
    pub(crate) rounds: usize,
    /// Requests of one turn.
    #[arg(long, default_value_t = 5_000)]
    pub(crate) requests: usize,
    /// Starts of the gateway that are timed.
    #[arg(long, default_value_t = 21)]
    pub(crate) starts: usize,
    /// A folder for the report and the figures of every turn.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
}

/// The other ends of a measurement, each a process of its own. They print their port and end with their standard input.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// A Streamable HTTP MCP server that answers with constant bytes.
    Upstream,
    /// A proxy that only copies bytes: the least that any hop costs.
    Pump {
        /// Where to.
        to: SocketAddr,
    },
}
