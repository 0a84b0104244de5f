//! The rules themselves: each takes a source file and returns what is wrong with it, one sentence a fault.

use crate::source::{Path, Source};

/// The floors, bottom to top. A floor imports only floors that stand before it.
pub(crate) const FLOORS: [&str; 10] = [
    "lockfree",
    "protocol",
    "telemetry",
    "failsafe",
    "backend",
    "capability",
    "gateway",
    "server",
    "config",
    "cli",
];

/// Code lines of a file, its test modules left out.
pub(crate) const FILE_LINES: usize = 400;
/// Code lines of a function's body.
pub(crate) const FUNCTION_LINES: usize = 60;

/// Paths that only one place may name.
const DOORS: [(&str, &str); 7] = [
    ("std::sync::atomic", "src/lockfree/sync.rs"),
    ("core::sync::atomic", "src/lockfree/sync.rs"),
    ("atomic::Atomic", "src/lockfree/sync.rs"),
    ("loom::", "src/lockfree/sync.rs"),
    ("hyper::server", "src/server/"),
    ("hyper_util::server", "src/server/"),
    ("quanta::", "src/telemetry/clock.rs"),
];

/// Crates that a floor must do without.
const WALLS: [(&str, &str); 6] = [
    ("lockfree", "tokio::"),
    ("lockfree", "tracing::"),
    ("lockfree", "std::time::Instant"),
    ("protocol", "tokio::"),
    ("protocol", "std::net::"),
    ("protocol", "std::fs::"),
];

const CLOCK: &str = "src/telemetry/clock.rs";

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) place: String,
    pub(crate) line: usize,
    pub(crate) sentence: String,
}

/// Every rule for product code below `src`.
pub(crate) fn product(source: &Source) -> Vec<Fault> {
    let mut faults = floors(source);
    faults.extend(doors(source));
    faults.extend(clock(source));
    faults.extend(root(source));
    faults.extend(everywhere(source));
    faults
}

/// The rules for every Rust file of the repository.
pub(crate) fn everywhere(source: &Source) -> Vec<Fault> {
    let mut faults = sizes(source);
    faults.extend(opening(source));
    faults.extend(folder(source));
    faults
}

/// A floor imports only floors below it.
pub(crate) fn floors(source: &Source) -> Vec<Fault> {
    let Some(floor) = source.floor() else {
        return Vec::new();
    };
    let Some(height) = height(floor) else {
        return vec![fault(
            source,
            1,
            format!("the folder `{floor}` is no floor: enter it in the table of floors"),
        )];
    };
    let imported = source
        .paths()
        .into_iter()
        .filter_map(|path| Some((target(&path)?, path.line)));
    let above = imported.filter_map(|(name, line)| Some((self::height(&name)?, name, line)));
    above
        .filter(|(target, _, _)| *target > height)
        .map(|(_, name, line)| {
            fault(
                source,
                line,
                format!("the floor `{floor}` may not import the floor `{name}` above it"),
            )
        })
        .collect()
}

/// What only one place may name is named only there, and each floor does without what it must.
pub(crate) fn doors(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in source
        .resolved_paths()
        .iter()
        .filter(|path| path.segments.len() > 1)
    {
        let written = format!("{}::", path.segments.join("::"));
        for (name, door) in DOORS {
            if begins(&written, name) && !source.place.starts_with(door) {
                faults.push(fault(
                    source,
                    path.line,
                    format!("`{name}` may be named only in `{door}`"),
                ));
            }
        }
        for (floor, name) in WALLS {
            if begins(&written, name) && source.floor() == Some(floor) {
                faults.push(fault(
                    source,
                    path.line,
                    format!("the floor `{floor}` does without `{name}`"),
                ));
            }
        }
    }
    faults
}

/// Only the clock reads a clock; tokio's is for deadlines.
pub(crate) fn clock(source: &Source) -> Vec<Fault> {
    if source.place == CLOCK {
        return Vec::new();
    }
    let reads = |path: &Path| {
        let [.., owner, method] = path.segments.as_slice() else {
            return false;
        };
        method == "now"
            && matches!(owner.as_str(), "Instant" | "SystemTime")
            && path.segments[0] != "tokio"
    };
    let found = source.resolved_paths().into_iter().filter(reads);
    found
        .map(|path| {
            fault(
                source,
                path.line,
                format!("only `{CLOCK}` may read a clock: take a `Stamp` instead"),
            )
        })
        .collect()
}

/// Nothing is imported through the crate root.
pub(crate) fn root(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in source.paths() {
        let supers = path
            .segments
            .iter()
            .take_while(|segment| *segment == "super")
            .count();
        let climbs = supers > 0 && supers >= source.depth() + path.inline_depth;
        let names_root =
            path.segments[0] == "crate" && (path.segments.len() > 1 || path.imported_as.is_some());
        let is_floor = target(&path).is_some_and(|name| height(&name).is_some());
        if climbs || (names_root && !is_floor) {
            let written = path.segments.join("::");
            faults.push(fault(source, path.line, format!("`{written}` goes through the crate root: name the floor, as in `crate::floor::Thing`")));
        }
    }
    faults
}

/// No file and no function outgrows one reading.
pub(crate) fn sizes(source: &Source) -> Vec<Fault> {
    let mut faults = Vec::new();
    let lines = source.code_lines();
    if lines > FILE_LINES {
        faults.push(fault(source, 1, format!("the file has {lines} code lines, {FILE_LINES} is the last: it answers two questions")));
    }
    let long = source
        .functions()
        .into_iter()
        .filter(|function| function.code_lines > FUNCTION_LINES);
    faults.extend(long.map(|function| {
        let sentence = format!(
            "`{}` has {} code lines, {FUNCTION_LINES} is the last",
            function.name, function.code_lines
        );
        fault(source, function.line, sentence)
    }));
    faults
}

/// The first line of a file says which question it answers.
pub(crate) fn opening(source: &Source) -> Vec<Fault> {
    let says = source
        .text
        .lines()
        .next()
        .is_some_and(|line| line.starts_with("//! ") && line.len() > 8);
    if says {
        Vec::new()
    } else {
        vec![fault(
            source,
            1,
            "the file does not begin with a `//!` line that says its question".to_owned(),
        )]
    }
}

/// The page of a folder, and of the crate, declares modules and re-exports, and defines nothing.
pub(crate) fn folder(source: &Source) -> Vec<Fault> {
    if !source.place.ends_with("/mod.rs") && source.place != "src/lib.rs" {
        return Vec::new();
    }
    let sentence = "defines something: only `mod` and `use` may stand here";
    source
        .definitions()
        .into_iter()
        .map(|line| fault(source, line, sentence.to_owned()))
        .collect()
}

/// The floors that the architecture page lists, bottom to top.
pub(crate) fn documented(architecture_page: &str) -> Vec<String> {
    let rows = architecture_page
        .lines()
        .filter_map(|line| line.strip_prefix("//! | `"));
    let mut names: Vec<String> = rows
        .filter_map(|row| row.split_once('`').map(|(name, _)| name.to_owned()))
        .collect();
    names.reverse();
    names
}

fn height(floor: &str) -> Option<usize> {
    FLOORS.iter().position(|name| *name == floor)
}

/// What a path from the crate root names first: `backend` in `crate::backend::Call`.
fn target(path: &Path) -> Option<String> {
    (path.segments.first()? == "crate").then(|| path.segments.get(1).cloned())?
}

fn begins(written: &str, name: &str) -> bool {
    written.starts_with(name) && (name.ends_with("::") || written[name.len()..].starts_with("::"))
}

fn fault(source: &Source, line: usize, sentence: String) -> Fault {
    Fault {
        place: source.place.clone(),
        line,
        sentence,
    }
}
