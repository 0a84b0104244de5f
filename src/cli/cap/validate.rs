//! `cap validate`: everything that is wrong with capabilities, or how many are good.

use std::path::PathBuf;

use super::looked::{Looked, show};
use crate::cli::{args::Options, ended::Ended};

pub(super) fn validate(options: &Options, places: &[PathBuf]) -> Result<(), Ended> {
    let looked = Looked::at(options, places)?;
    let mut text = match looked.definitions.len() {
        1 => "1 capability is valid\n".to_owned(),
        count => format!("{count} capabilities are valid\n"),
    };
    for warning in &looked.warnings {
        text.push_str(&format!("warning: {warning}\n"));
    }
    show(&text)?;
    if looked.left_out.is_empty() {
        return Ok(());
    }
    Err(Ended::Misused(looked.left_out.join("\n")))
}
