//! `cap pin`: writes into each file what it must stay.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::looked::show;
use crate::{
    cli::ended::Ended,
    config::{Environment, Finding, Found, pinned},
};

pub(super) fn pin(files: &[PathBuf]) -> Result<(), Ended> {
    let pins: Vec<_> = files
        .iter()
        .map(|file| pin_of(file))
        .collect::<Result<_, _>>()?;
    for (file, text) in files.iter().zip(pins) {
        replace(file, &text).map_err(|error| {
            Ended::Failed(format!(
                "{} cannot be written ({error}), so it has no new pin. Make it and its directory writable.",
                file.display()
            ))
        })?;
        show(&format!("{}: pinned\n", file.display()))?;
    }
    Ok(())
}

/// The text with its pin. A file that is wrong is not pinned: nobody can have meant it.
fn pin_of(file: &Path) -> Result<String, Ended> {
    let text = fs::read_to_string(file).map_err(|error| {
        Ended::Misused(format!(
            "{} cannot be read ({error}), so it cannot be pinned. Name a file of a capability.",
            file.display()
        ))
    })?;
    let text = pinned(&text);
    let at: Arc<Path> = file.into();
    let found = Found::read(&text, &at, &Environment::of_process());
    // What is missing here may be there where it is served.
    let wrong = found.problems.iter().filter(|problem| !is_missing(problem));
    let wrong: Vec<_> = wrong.map(Finding::to_string).collect();
    if wrong.is_empty() {
        return Ok(text);
    }
    Err(Ended::Misused(wrong.join("\n")))
}

fn is_missing(problem: &Finding) -> bool {
    problem.sentence.contains("needs the environment variable")
}

/// Puts another file in the place of this one, so that nobody reads half of it.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    let mut name = file.as_os_str().to_owned();
    name.push(".pinning");
    let other = PathBuf::from(name);
    fs::write(&other, text)?;
    fs::set_permissions(&other, fs::metadata(file)?.permissions())?;
    fs::rename(&other, file)
}
