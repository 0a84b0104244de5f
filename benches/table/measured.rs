//! What the benches before this one left.

use std::{fs, path::Path};

use crate::left;

/// Callgrind's files, one folder for each function that was counted.
const INSTRUCTIONS: &str = "gungraun/mcp-gateway/core_instructions";
/// One ratio a line: its name, a tab, its value.
const CONTENTION: &str = "contend/ratios.tsv";

/// The instructions of the function that bears this name; none if it was not counted.
pub(crate) fn instructions(name: &str) -> Option<u64> {
    let folders = fs::read_dir(left::under_target(INSTRUCTIONS).join("counted/counts")).ok()?;
    let counted = |folder: &fs::DirEntry| {
        let folder = folder.file_name();
        folder
            .to_str()
            .and_then(|folder| folder.split_once('.'))
            .is_some_and(|(function, _)| function == name)
    };
    let folder = folders.flatten().find(counted)?;
    Some(total(&folder.path())).filter(|count| *count > 0)
}

/// Callgrind writes a file for each thread, each with a line `totals: ` that begins with the instructions.
fn total(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    texts.filter_map(|text| in_file(&text)).sum()
}

fn in_file(text: &str) -> Option<u64> {
    let totals = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: "))?;
    totals.split(' ').next()?.parse().ok()
}

/// The ratio that `perf/contend` left under this name; none if it was not measured.
pub(crate) fn contention(name: &str) -> Option<f64> {
    let text = fs::read_to_string(left::under_target(CONTENTION)).ok()?;
    let mut ratios = text.lines().filter_map(|line| line.split_once('\t'));
    ratios.find(|(of, _)| *of == name)?.1.parse().ok()
}

/// What has been read is no longer news.
pub(crate) fn take_away() {
    let _ = fs::remove_dir_all(left::under_target(INSTRUCTIONS));
    let _ = fs::remove_file(left::under_target(CONTENTION));
}
