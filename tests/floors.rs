//! Holds the house to its plan: floors import downward, doors stay single, files stay small.
//!
//! The table of floors is [`rules::FLOORS`], and the architecture page in `src/lib.rs` must say the same.

#[path = "floors/rules.rs"]
mod rules;
#[path = "floors/samples.rs"]
mod samples;
#[path = "floors/source.rs"]
mod source;
#[path = "floors/tokens.rs"]
mod tokens;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rules::{FLOORS, Fault, documented, everywhere, product};
use source::Source;

#[test]
fn every_floor_imports_only_floors_below_it_and_every_rule_is_kept() {
    let sources = read_all(&["src"]).unwrap();
    assert!(
        sources.len() > 10,
        "the sources are not where this test looks"
    );
    report(sources.iter().flat_map(product).collect());
}

#[test]
fn tests_benches_and_helper_packages_keep_the_sizes_and_open_with_their_question() {
    let sources = read_all(&["tests", "benches", "fuzz", "loom-tests", "perf"]).unwrap();
    report(sources.iter().flat_map(everywhere).collect());
}

#[test]
fn the_architecture_page_lists_the_floors_that_stand() {
    let page = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let stands = |floor: &&&str| root().join("src").join(floor).is_dir();
    let standing: Vec<&str> = FLOORS.iter().filter(stands).copied().collect();
    assert_eq!(
        documented(&page),
        standing,
        "src/lib.rs and the table of floors differ"
    );
}

fn report(faults: Vec<Fault>) {
    let lines: Vec<String> = faults
        .into_iter()
        .map(|fault| format!("{}:{}: {}", fault.place, fault.line, fault.sentence))
        .collect();
    assert!(
        lines.is_empty(),
        "the house is not in order:\n{}",
        lines.join("\n")
    );
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read_all(folders: &[&str]) -> io::Result<Vec<Source>> {
    let mut places = Vec::new();
    for folder in folders
        .iter()
        .map(|folder| root().join(folder))
        .filter(|folder| folder.is_dir())
    {
        walk(&folder, &mut places)?;
    }
    places.sort();
    places
        .iter()
        .map(|place| Ok(Source::new(&below_root(place), &fs::read_to_string(place)?)))
        .collect()
}

fn walk(folder: &Path, places: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("target") {
            walk(&path, places)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            places.push(path);
        }
    }
    Ok(())
}

fn below_root(place: &Path) -> String {
    place
        .strip_prefix(root())
        .unwrap_or(place)
        .to_string_lossy()
        .replace('\\', "/")
}
