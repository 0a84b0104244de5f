//! The arguments of `cap`.

use std::path::PathBuf;

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CapCommand {
    /// Lists the capabilities that would be served: each with who answers it and what it may do.
    List {
        /// Files, and directories with files.
        #[arg(value_name = "PLACE", required = true)]
        places: Vec<PathBuf>,
    },
    /// Reads capabilities and prints everything that is wrong with them.
    Validate {
        /// Files, and directories with files.
        #[arg(value_name = "PLACE", required = true)]
        places: Vec<PathBuf>,
    },
    /// Writes the SHA-256 of each file into it: from then on it is served only as long as it stays the same.
    Pin {
        /// The files.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}
