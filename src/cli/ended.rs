//! How a command ended when it did not end well, and the exit code that says so.

use std::{fmt, process::ExitCode};

use crate::config::Problems;

/// Why the program ends with a code other than 0.
#[derive(Debug)]
pub(super) enum Ended {
    /// It could not start, or not go on. Exit code 1.
    Failed(String),
    /// An argument or the configuration is wrong. Exit code 2.
    Misused(String),
}

impl Ended {
    pub(super) fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Failed(_) => 1,
            Self::Misused(_) => 2,
        })
    }
}

impl From<Problems> for Ended {
    fn from(problems: Problems) -> Self {
        Self::Misused(problems.to_string())
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) | Self::Misused(text) => f.write_str(text),
        }
    }
}
