//! Reading a section key by key: what is wrong is collected, and the keys that were asked for are the valid ones.

use std::time::Duration;

use super::{
    Place, expand,
    reading::Reading,
    suggest,
    tree::{Entry, Node, Value},
    values,
};
use crate::telemetry::Secret;

/// One map of the tree while it is read.
pub(super) struct Section<'a> {
    reading: Reading<'a>,
    path: String,
    at: Place,
    entries: &'a [Entry],
    asked: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The section that a node holds; a node that holds nothing is a section without keys.
    pub(super) fn new(node: &'a Node, at: &Place, path: &str, reading: Reading<'a>) -> Self {
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            Value::Nothing => &[],
            _ => {
                let sentence = format!("`{path}` must be a section: write its keys below it");
                reading.findings.problem(&node.at, sentence);
                &[]
            }
        };
        Self {
            reading,
            path: path.to_owned(),
            at: at.clone(),
            entries,
            asked: Vec::new(),
        }
    }

    /// Where the section begins.
    pub(super) fn at(&self) -> &Place {
        &self.at
    }

    pub(super) fn reading(&self) -> Reading<'a> {
        self.reading
    }

    /// A key of this section with the names of all sections above it.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Where a key is written, if it is and holds something.
    pub(super) fn place_of(&self, key: &str) -> Option<&'a Place> {
        self.entry(key).map(|entry| &entry.at)
    }

    /// Whether a key holds a section rather than one value.
    pub(super) fn is_section(&self, key: &str) -> bool {
        self.entry(key)
            .is_some_and(|entry| matches!(entry.node.value, Value::Map(_)))
    }

    /// Reports what is wrong with a key: at the key, or at the section where the key is absent.
    pub(super) fn refuse(&self, key: &str, sentence: &str) {
        let place = self.place_of(key).unwrap_or(&self.at);
        self.reading
            .findings
            .problem(place, format!("`{}` {sentence}", self.path_of(key)));
    }

    /// A section below this one.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'a> {
        let path = self.path_of(key);
        match self.ask(key) {
            Some(entry) => Section::new(&entry.node, &entry.at, &path, self.reading),
            None => Section {
                reading: self.reading,
                path,
                at: self.at.clone(),
                entries: &[],
                asked: Vec::new(),
            },
        }
    }

    /// Every entry of this section as a section of its own, where names are free.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'a str, Section<'a>)> {
        self.entries.iter().map(|entry| {
            let path = self.path_of(&entry.key);
            let section = Section::new(&entry.node, &entry.at, &path, self.reading);
            (entry.key.as_str(), section)
        })
    }

    /// The elements of a list, each as a section.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let path = self.path_of(key);
        let items = self.items(key).unwrap_or_default();
        items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                Section::new(item, &item.at, &format!("{path}[{index}]"), self.reading)
            })
            .collect()
    }

    /// Reads a scalar over `target`; what cannot be read is reported and leaves it.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        target: &mut T,
        reader: impl FnOnce(&str) -> Result<T, String>,
    ) {
        if let Some(value) = self.optional(key, reader) {
            *target = value;
        }
    }

    /// Reads a scalar that may be absent. What cannot be read is quoted as it was written.
    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        reader: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.read_scalar(key, |written, text| {
            reader(text).map_err(|reason| format!(": `{written}` {reason}"))
        })
    }

    /// Reads a scalar in which people may have put a secret: what cannot be read is not quoted.
    pub(super) fn unquoted<T>(
        &mut self,
        key: &'static str,
        reader: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.read_scalar(key, |_, text| {
            reader(text).map_err(|reason| format!(" {reason}"))
        })
    }

    fn read_scalar<T>(
        &mut self,
        key: &'static str,
        reader: impl FnOnce(&str, &str) -> Result<T, String>,
    ) -> Option<T> {
        let node = &self.ask(key)?.node;
        let path = self.path_of(key);
        let (written, text) = self.scalar(node, &path)?;
        reader(written, &text)
            .map_err(|reason| {
                let sentence = format!("`{path}`{reason}");
                self.reading.findings.problem(&node.at, sentence);
            })
            .ok()
    }

    pub(super) fn flag(&mut self, key: &'static str, target: &mut bool) {
        self.read(key, target, values::flag);
    }

    /// Reads a length of time that is not zero.
    pub(super) fn time(&mut self, key: &'static str, target: &mut Duration) {
        self.read(key, target, values::some_time);
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.optional(key, |text| Ok(text.to_owned()))
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, key: &'static str, meaning: &str) -> Option<String> {
        if self.place_of(key).is_none() {
            self.refuse(key, &format!("is missing: write {meaning}"));
        }
        self.text(key)
    }

    /// A list of scalars.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.list(key, |text| Ok(text.to_owned()))
    }

    /// A list of scalars, each of them read. What cannot be read is reported where it stands, as it was written, and left out.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        reader: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let path = self.path_of(key);
        let items = self.items(key)?;
        let read = |item: &'a Node| {
            let (written, text) = self.scalar(item, &path)?;
            reader(&text)
                .map_err(|reason| {
                    let sentence = format!("`{path}`: `{written}` {reason}");
                    self.reading.findings.problem(&item.at, sentence);
                })
                .ok()
        };
        Some(items.iter().filter_map(read).collect())
    }

    /// A secret: literal, with `${VAR}` in it, or `env:VAR`. Its value is never quoted.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<Secret> {
        let node = &self.ask(key)?.node;
        self.secret_in(node, &self.path_of(key))
    }

    /// A section whose names are free and whose values are secrets.
    pub(super) fn secrets(&mut self, key: &'static str) -> Vec<(&'a str, &'a Place, Secret)> {
        let section = self.section(key);
        section
            .entries
            .iter()
            .filter_map(|entry| {
                let path = section.path_of(&entry.key);
                let secret = match entry.node.value {
                    Value::Nothing => Secret::new(""),
                    _ => section.secret_in(&entry.node, &path)?,
                };
                Some((entry.key.as_str(), &entry.at, secret))
            })
            .collect()
    }

    /// A text as it is written, whatever it holds.
    pub(super) fn plain(&mut self, key: &'static str) -> Option<String> {
        let path = self.path_of(key);
        let node = self.node(key)?;
        self.plain_of(node, &path)
    }

    /// The same of a node at this path.
    pub(super) fn plain_of(&self, node: &Node, path: &str) -> Option<String> {
        let (Value::Scalar(written) | Value::Literal(written)) = &node.value else {
            let sentence = format!("`{path}` must be one value, not a list or a section");
            self.reading.findings.problem(&node.at, sentence);
            return None;
        };
        Some(written.clone())
    }

    /// What a key holds, whatever it is.
    pub(super) fn node(&mut self, key: &'static str) -> Option<&'a Node> {
        self.ask(key).map(|entry| &entry.node)
    }

    /// Every entry of this section, where names are free.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'a Entry> + use<'a> {
        self.entries.iter()
    }

    /// Accepts a key that changes nothing here, because what it asks for is always so.
    pub(super) fn accept(&mut self, key: &'static str) {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
    }

    /// Accepts a key that is known elsewhere and has no effect here: one warning that names it.
    pub(super) fn without_effect(&mut self, key: &'static str) {
        if let Some(entry) = self.ask(key) {
            let sentence = format!(
                "`{}` is not supported and has no effect: remove it when you no longer need it elsewhere",
                self.path_of(key)
            );
            self.reading.findings.warn(&entry.at, sentence);
        }
    }

    /// Reports every key that nobody asked for, with the nearest valid one.
    pub(super) fn finish(self) {
        for entry in self.entries {
            if !self.asked.contains(&entry.key.as_str()) {
                let sentence = format!(
                    "unknown key `{}`: {}",
                    self.path_of(&entry.key),
                    suggest::advice(&entry.key, self.asked.iter().copied())
                );
                self.reading.findings.problem(&entry.at, sentence);
            }
        }
    }

    fn ask(&mut self, key: &'static str) -> Option<&'a Entry> {
        self.accept(key);
        self.entry(key)
    }

    fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries
            .iter()
            .find(|entry| entry.key == key && entry.node.value != Value::Nothing)
    }

    fn items(&mut self, key: &'static str) -> Option<&'a [Node]> {
        let node = &self.ask(key)?.node;
        match &node.value {
            Value::List(items) => Some(items),
            _ => {
                let sentence = format!(
                    "`{}` must be a list: write [one, two], or one element per line behind a dash",
                    self.path_of(key)
                );
                self.reading.findings.problem(&node.at, sentence);
                None
            }
        }
    }

    /// What a scalar says as it was written, and with its variables in place.
    fn scalar(&self, node: &'a Node, path: &str) -> Option<(&'a str, String)> {
        let (Value::Scalar(written) | Value::Literal(written)) = &node.value else {
            let sentence = format!("`{path}` must be one value, not a list or a section");
            self.reading.findings.problem(&node.at, sentence);
            return None;
        };
        expand::expand(written, self.reading.environment)
            .map_err(|error| {
                let sentence = format!("`{path}` {error}");
                self.reading.findings.problem(&node.at, sentence);
            })
            .ok()
            .map(|text| (written.as_str(), text))
    }

    fn secret_in(&self, node: &'a Node, path: &str) -> Option<Secret> {
        let (written, text) = self.scalar(node, path)?;
        let Some(name) = written.strip_prefix("env:") else {
            return Some(Secret::new(text));
        };
        let value = self.reading.environment.value(name);
        if value.is_none() {
            let sentence = format!(
                "`{path}` needs the environment variable {name}, which is not set: set it, or name a file that sets it in env_files"
            );
            self.reading.findings.problem(&node.at, sentence);
        }
        value.map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Environment, Finding, reading::Findings, tree};

    /// Reads a text with a reader, and gives the problems and warnings as lines.
    fn reading(text: &str, reader: impl FnOnce(&mut Section<'_>)) -> (Vec<String>, Vec<String>) {
        let root = tree::parse_file(text, &Path::new("g.yaml").into()).unwrap();
        let environment: Environment = [("TOKEN".to_owned(), "hunter2".to_owned())]
            .into_iter()
            .collect();
        let findings = Findings::default();
        let mut section = Section::new(
            &root,
            &root.at,
            "",
            Reading {
                environment: &environment,
                findings: &findings,
            },
        );
        reader(&mut section);
        section.finish();
        let (problems, warnings) = findings.sorted();
        let lines = |list: Vec<Finding>| list.iter().map(Finding::to_string).collect();
        (lines(problems), lines(warnings))
    }

    #[test]
    fn every_problem_is_found_at_once_in_the_order_of_the_file() {
        let text = "server:\n  prot: 1\n  host: [a]\n  time: soon\nlist: x\nsection: 3\n";
        let (problems, warnings) = reading(text, |root| {
            root.texts("list");
            root.section("section").finish();
            let mut server = root.section("server");
            server.text("host");
            server.time("time", &mut Duration::from_secs(1));
            server.read("port", &mut 0_u16, values::whole(0..=9));
            server.finish();
        });
        assert_eq!(
            problems,
            [
                "g.yaml:2:3: unknown key `server.prot`: did you mean `port`?",
                "g.yaml:3:9: `server.host` must be one value, not a list or a section",
                "g.yaml:4:9: `server.time`: `soon` is not a duration: write 100ms, 30s, 5m, 1h, or a bare number of seconds",
                "g.yaml:5:7: `list` must be a list: write [one, two], or one element per line behind a dash",
                "g.yaml:6:10: `section` must be a section: write its keys below it",
            ]
        );
        assert_eq!(warnings, [""; 0]);
    }

    #[test]
    fn a_key_that_holds_nothing_is_as_good_as_absent() {
        let (problems, _) = reading("port:\nserver: ~\n", |root| {
            let mut port = 7_u16;
            root.read("port", &mut port, values::whole(0..=9));
            assert_eq!(port, 7);
            root.section("server").finish();
        });
        assert_eq!(problems, [""; 0]);
    }

    #[test]
    fn a_secret_is_read_and_never_quoted() {
        let text = "a: env:TOKEN\nb: Bearer ${TOKEN}\nc: env:NONE\nd: ${NONE}\nn: ${TOKEN}\n";
        let (problems, _) = reading(text, |root| {
            assert_eq!(root.secret("a"), Some(Secret::new("hunter2")));
            assert_eq!(root.secret("b"), Some(Secret::new("Bearer hunter2")));
            assert_eq!(root.secret("c"), None);
            assert_eq!(root.secret("d"), None);
            root.read("n", &mut 0_u16, values::whole(0..=9));
        });
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems[0].starts_with("g.yaml:3:4: `c` needs the environment variable NONE"));
        assert!(problems[1].starts_with("g.yaml:4:4: `d` needs the environment variable NONE"));
        assert!(
            problems[2].starts_with("g.yaml:5:4: `n`: `${TOKEN}` is not a whole number"),
            "{problems:?}"
        );
    }

    #[test]
    fn a_key_without_effect_is_warned_of_by_name() {
        let (problems, warnings) = reading("marketplace:\n  x: 1\n", |root| {
            root.without_effect("marketplace");
            root.without_effect("mtls");
        });
        assert_eq!(problems, [""; 0]);
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].starts_with("g.yaml:1:1: `marketplace` is not supported"));
    }
}
