//! `cap list`: one line for each capability.

use std::path::PathBuf;

use super::looked::{Looked, show};
use crate::{
    capability::Definition,
    cli::{args::Options, ended::Ended},
};

pub(super) fn list(options: &Options, places: &[PathBuf]) -> Result<(), Ended> {
    let looked = Looked::at(options, places)?;
    let mut text: String = looked.definitions.iter().map(|it| line(it)).collect();
    for reason in &looked.left_out {
        text.push_str(&format!("left out: {reason}\n"));
    }
    show(&text)
}

/// Its name, what it may do, who answers, and the first line of what it is for.
fn line(definition: &Definition) -> String {
    let hints = definition.hints();
    let does = match (hints.read_only, hints.destructive) {
        (true, _) => "reads",
        (false, false) => "writes",
        (false, true) => "may destroy",
    };
    let hosts: Vec<_> = definition
        .providers()
        .map(|provider| provider.service.endpoint().origin.to_string())
        .collect();
    let about = definition.description.lines().next().unwrap_or_default();
    format!(
        "{}\t{does}\t{}\t{about}\n",
        definition.name,
        hosts.join(", then ")
    )
}
