//! What can be typed.

use std::path::PathBuf;

use clap::Parser;

use crate::figures::Effort;

/// Measures what a call costs alone and beside another thread's calls, and what each rival asks for the same.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// A tenth of the batches: for the gate, whose limits leave room for it.
    #[arg(long)]
    quick: bool,
    /// Measures only what bears this text in its name.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) only: String,
    /// Fails if a budget of `perf/budgets.toml` does not hold.
    #[arg(long)]
    pub(crate) check: bool,
    /// Writes each ratio into this file, one a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) ratios: Option<PathBuf>,
}

impl Arguments {
    pub(crate) const fn effort(&self) -> Effort {
        if self.quick {
            Effort {
                rounds: 9,
                batches: 11,
            }
        } else {
            Effort {
                rounds: 11,
                batches: 100,
            }
        }
    }
}
