//! Does the table of the README say what the models hold?

use std::fs;
use std::path::Path;

/// A row of the table: the model and its interleavings.
type Row = String;

fn row(model: &str, counts: &[usize]) -> Row {
    let counts = counts.iter().map(|count| with_commas(*count));
    format!("| `{model}` | {} |", counts.collect::<Vec<_>>().join(" | "))
}

fn with_commas(count: usize) -> String {
    let digits = count.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups = groups.map(|group| String::from_utf8_lossy(group));
    groups.collect::<Vec<_>>().join(",")
}

fn numbers(line: &str) -> Vec<usize> {
    let no_digit = |c: char| !(c.is_ascii_digit() || c == '_');
    let parts = line
        .split(no_digit)
        .filter(|part| part.starts_with(|c: char| c.is_ascii_digit()));
    parts
        .filter_map(|part| part.replace('_', "").parse().ok())
        .collect()
}

/// The models of one file: each test with the largest number of its first line that holds a count.
fn models(file: &str, text: &str) -> Vec<Row> {
    let tests = text.split("#[test]\nfn ").skip(1);
    let of = |test: &str| {
        let name = test.split('(').next()?;
        let held = test
            .lines()
            .find(|line| line.contains("explore") || line.contains("enough"))?;
        Some(row(
            &format!("{file}::{name}"),
            &[numbers(held).into_iter().max()?],
        ))
    };
    tests.filter_map(of).collect()
}

/// The generated models: each situation with the counts of its pairs and triples.
fn situations(text: &str) -> Vec<Row> {
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| line.ends_with(';'));
    let of = |line: &str| {
        let (name, rest) = line.split_once(": ")?;
        let counts = numbers(rest);
        (counts.len() == 2).then(|| row(&format!("breaker_races::{name}"), &counts))
    };
    lines.filter_map(of).collect()
}

#[test]
fn each_model_stands_in_the_readme_with_its_interleavings_and_nothing_else_does() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| fs::read_to_string(package.join(path)).unwrap();
    let mut held = situations(&read("tests/breaker_races/main.rs"));
    assert_eq!(held.len(), 10);
    for file in [
        "breaker",
        "counters",
        "flight",
        "health",
        "orderings",
        "recorder",
        "window",
    ] {
        held.extend(models(file, &read(&format!("tests/{file}.rs"))));
    }
    let readme = read("README.md");
    let mut said: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    said.sort_unstable();
    held.sort_unstable();
    assert_eq!(said, held, "the table should be:\n{}", held.join("\n"));
}
