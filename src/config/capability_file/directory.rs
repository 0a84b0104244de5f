//! The capabilities of some directories: every file that is good, and of every other one what is wrong with it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::Found;
use crate::{
    capability::Definition,
    config::{Environment, Finding, Place},
};

/// How deep directories are looked into, and how many files are read.
const DEEPEST: usize = 8;
const MOST: usize = 10_000;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// What the files of some directories come to.
#[derive(Debug, Default)]
pub struct Directory {
    /// Each good capability with its file, in the order of the files.
    pub definitions: Vec<(PathBuf, Arc<Definition>)>,
    /// Files that are not served.
    pub left_out: Vec<LeftOut>,
    /// What has no effect.
    pub warnings: Vec<Finding>,
}

/// A file that is not served, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The file.
    pub file: PathBuf,
    /// Everything that is wrong, or what it needs and is not there.
    pub reasons: Vec<Finding>,
}

impl Directory {
    /// Reads all files below these directories whose names end with `.yaml` or `.yml`, and those that are named themselves.
    #[must_use]
    pub fn read(places: &[PathBuf], environment: &Environment) -> Self {
        let mut all = Self::default();
        let mut names = BTreeMap::new();
        for place in places {
            if !place.exists() {
                let at = Place::File(place.as_path().into());
                let sentence = "is not there, so no capability is read from it: make the directory, or take it out of `capabilities.directories`";
                all.warnings.push(Finding::new(&at, sentence));
            }
        }
        for file in files(places).into_iter().filter(|file| is_capability(file)) {
            all.take(&file, environment, &mut names);
        }
        all
    }

    fn take(
        &mut self,
        file: &Path,
        environment: &Environment,
        names: &mut BTreeMap<Box<str>, PathBuf>,
    ) {
        let at: Arc<Path> = file.into();
        let mut found = match text(file) {
            Ok(text) => Found::read(&text, &at, environment),
            Err(reason) => Found {
                definition: None,
                problems: vec![Finding::new(&Place::File(Arc::clone(&at)), reason)],
                warnings: Vec::new(),
            },
        };
        let Some(definition) = found.definition else {
            return self.left_out.push(LeftOut {
                file: file.to_owned(),
                reasons: found.problems,
            });
        };
        let name = definition.name.as_str();
        if let Some(earlier) = names.get(name) {
            let sentence = format!(
                "the capability `{name}` is defined in {} already, and that one is served: rename one of them",
                earlier.display()
            );
            return self.left_out.push(LeftOut {
                file: file.to_owned(),
                reasons: vec![Finding::new(&Place::File(at), sentence)],
            });
        }
        names.insert(name.into(), file.to_owned());
        self.warnings.append(&mut found.warnings);
        self.definitions
            .push((file.to_owned(), Arc::new(definition)));
    }
}

/// Everything that is looked at below some places: a change of any of it may change what is read.
pub(in crate::config) fn files(places: &[PathBuf]) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for place in places {
        walk(place, DEEPEST, &mut all);
    }
    all
}

fn walk(place: &Path, depth: usize, all: &mut Vec<PathBuf>) {
    if all.len() >= MOST {
        return;
    }
    all.push(place.to_owned());
    if depth == 0 || !place.is_dir() {
        return;
    }
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let mut inside: Vec<_> = entries.map(|entry| entry.path()).collect();
    inside.sort();
    let hidden = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_none_or(|name| name.starts_with('.'))
    };
    for path in inside.iter().filter(|path| !hidden(path)) {
        if path.is_dir() || is_capability(path) {
            walk(path, depth - 1, all);
        }
    }
}

fn is_capability(path: &Path) -> bool {
    let ends = path
        .extension()
        .is_some_and(|end| end == "yaml" || end == "yml");
    ends && path.is_file()
}

fn text(file: &Path) -> Result<String, String> {
    let length = fs::metadata(file).map_or(0, |found| found.len());
    if length > LONGEST {
        return Err(format!(
            "is longer than {LONGEST} bytes, so it is not read: a capability is a page of text"
        ));
    }
    fs::read_to_string(file).map_err(|error| {
        format!("cannot be read ({error}): make it readable, or take it out of the directory")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "fulcrum: \"1.0\"\nname: NAME\nproviders: {primary: {config: {base_url: https://a.example}}}\n";

    fn read(home: &Path) -> (Vec<String>, Vec<String>) {
        let all = Directory::read(&[home.to_owned()], &Environment::default());
        let names = all.definitions.iter().map(|(_, it)| it.name.to_string());
        let left = all.left_out.iter().flat_map(|it| &it.reasons);
        let home = format!("{}/", home.display());
        let left = left.map(|reason| reason.to_string().replace(&home, ""));
        (names.collect(), left.collect())
    }

    #[test]
    fn good_files_are_read_and_bad_ones_are_named() {
        let home = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let file = home.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        put("a.yaml", &GOOD.replace("NAME", "one"));
        put("deep/b.yml", &GOOD.replace("NAME", "two"));
        put("deep/c.yaml", "fulcrum: \"1.0\"\nnam: x\n");
        put("deep/d.yaml", &GOOD.replace("NAME", "one"));
        put("e.txt", "not looked at");
        put(".hidden/f.yaml", "nor this");
        put(
            "g.yaml",
            &GOOD
                .replace("NAME", "three")
                .replace("primary: {", "primary: {service: cli, "),
        );
        let (names, left) = read(home.path());
        assert_eq!(names, ["one", "two"]);
        let text = left.join("\n");
        assert!(
            text.contains("deep/c.yaml:2:1: unknown key `nam`: did you mean `name`?"),
            "{text}"
        );
        assert!(
            text.contains("the capability `one` is defined in"),
            "{text}"
        );
        assert!(text.contains("g.yaml:3:23: `providers.primary.service` is `cli`, which this gateway does not call"), "{text}");
        let looked = files(&[home.path().to_owned()]);
        assert!(looked.contains(&home.path().join("deep")), "{looked:?}");
        assert!(!looked.contains(&home.path().join("e.txt")), "{looked:?}");
    }

    #[test]
    fn a_directory_that_is_not_there_is_said() {
        let all = Directory::read(&["/nowhere/at/all".into()], &Environment::default());
        assert_eq!(all.warnings.len(), 1);
        assert!(
            all.warnings[0]
                .to_string()
                .starts_with("/nowhere/at/all: is not there")
        );
    }
}
