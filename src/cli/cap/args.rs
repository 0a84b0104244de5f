//! The arguments of `cap`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::capability::openapi::Pattern;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CapCommand {
    /// Lists the capabilities that would be served: each with who answers it and what it may do.
    List {
        /// Files, and directories with files; those of the configuration if none is named.
        #[arg(value_name = "PLACE")]
        places: Vec<PathBuf>,
    },
    /// Reads capabilities and prints everything that is wrong with them.
    Validate {
        /// Files, and directories with files; those of the configuration if none is named.
        #[arg(value_name = "PLACE")]
        places: Vec<PathBuf>,
    },
    /// Calls one capability, prints its result as JSON, and ends with 1 if it failed.
    Test {
        /// The capability.
        #[arg(value_name = "NAME")]
        name: String,
        /// Its arguments, a JSON object.
        #[arg(long, value_name = "JSON", default_value = "{}")]
        args: String,
        /// Looks for it in these files and directories; otherwise in those of the configuration.
        #[arg(long = "in", value_name = "PLACE")]
        places: Vec<PathBuf>,
    },
    /// Writes the SHA-256 of each file into it: from then on it is served only as long as it stays the same.
    Pin {
        /// The files.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Writes one file for each operation of an OpenAPI 3.0 or 3.1 document, and says what is left out and why.
    Import(ImportOptions),
}

/// What is imported, and where to.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ImportOptions {
    /// The document: a file or a URL, in JSON or YAML.
    #[arg(value_name = "SPEC")]
    pub(super) spec: String,
    /// The directory that the files are written into. It is made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "capabilities")]
    pub(super) out: PathBuf,
    /// Takes only what one of these matches: tag:NAME, path:/START/*, operation:NAME; `*` stands for any text.
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    pub(super) include: Vec<Pattern>,
    /// Leaves out what one of these matches.
    #[arg(long, value_name = "PATTERN", value_parser = Pattern::parse)]
    pub(super) exclude: Vec<Pattern>,
    /// The URL below which all operations are, over what the document says.
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// Where the credential comes from: env:NAME or file:PATH:FIELD. Without it: a variable named after the API.
    #[arg(long, value_name = "KEY", value_parser = super::key::source)]
    pub(super) key: Option<String>,
    /// Writes over files that are there and hold something else.
    #[arg(long)]
    pub(super) force: bool,
}
