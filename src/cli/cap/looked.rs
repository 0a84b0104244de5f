//! What a command of `cap` looks at, and how it shows what it found.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use crate::{
    capability::Definition,
    cli::ended::Ended,
    config::{Directory, Environment, Finding},
};

/// Capabilities, and what was said of them.
pub(super) struct Looked {
    pub(super) definitions: Vec<Arc<Definition>>,
    /// Why others are left out, a line each.
    pub(super) left_out: Vec<String>,
    pub(super) warnings: Vec<String>,
}

impl Looked {
    /// Looks at these places.
    pub(super) fn at(places: &[PathBuf]) -> Result<Self, Ended> {
        for place in places {
            if !place.exists() {
                return Err(Ended::Misused(format!(
                    "{} is not there, so no capability can be read from it. Name a file, or a directory with files.",
                    place.display()
                )));
            }
        }
        let all = Directory::read(places, &Environment::of_process());
        let lines = |findings: &[Finding]| findings.iter().map(Finding::to_string).collect();
        let reasons = all.left_out.iter().flat_map(|file| &file.reasons);
        Ok(Self {
            left_out: reasons.map(Finding::to_string).collect(),
            warnings: lines(&all.warnings),
            definitions: all.definitions.into_iter().map(|(_, it)| it).collect(),
        })
    }
}

/// Writes a result where it belongs.
pub(super) fn show(text: &str) -> Result<(), Ended> {
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).map_err(|error| {
        Ended::Failed(format!(
            "Standard output cannot be written ({error}), so the result is not shown. Send it to a file or a terminal that takes it."
        ))
    })
}
