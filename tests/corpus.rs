//! Every input that the fuzzer kept, through the checks that its targets make.

#[path = "../fuzz/src/checks/mod.rs"]
mod checks;

use std::{collections::BTreeSet, fs, io, path::Path};

// The checks name it as their own, for the targets compile it alone.
use mcp_gateway::protocol;

type Check = fn(&[u8]);

const TARGETS: [(&str, Check); 3] = [
    ("envelope", checks::envelope),
    ("framing", checks::framing),
    ("headers", checks::headers),
];

/// The entries of a folder below the corpus, sorted.
fn entries(folder: &str) -> io::Result<BTreeSet<String>> {
    fs::read_dir(corpus().join(folder))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn corpus() -> Box<Path> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .into()
}

#[test]
fn every_input_that_the_fuzzer_kept_passes_its_checks() {
    for (target, check) in TARGETS {
        let inputs = entries(target).unwrap();
        assert!(inputs.len() > 10, "the corpus is not where this test looks");
        for input in inputs {
            let bytes = fs::read(corpus().join(target).join(&input)).unwrap();
            eprintln!("fuzz/corpus/{target}/{input}");
            check(&bytes);
        }
    }
}

#[test]
fn each_target_has_its_inputs() {
    let names = TARGETS.map(|(name, _)| name.to_owned());
    assert_eq!(entries("").unwrap(), BTreeSet::from(names));
}
