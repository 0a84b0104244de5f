//! Names of backends: which are possible, and which are there.

use crate::config::{section::Section, suggest};

/// Every backend that is written, and whether it is enabled.
#[derive(Debug, Default)]
pub(in crate::config) struct Names(Vec<(String, bool)>);

impl Names {
    pub(in crate::config) fn add(&mut self, name: &str, enabled: bool) {
        self.0.push((name.to_owned(), enabled));
    }

    /// Whether a backend of this name is written.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Whether the name is one of an enabled backend. A name of none is reported at the key; a disabled backend's is only skipped.
    pub(in crate::config) fn check(&self, name: &str, section: &Section<'_>, key: &str) -> bool {
        if let Some((_, enabled)) = self.0.iter().find(|(known, _)| known == name) {
            return *enabled;
        }
        let known = self.0.iter().map(|(known, _)| known.as_str());
        let sentence = format!(
            "names the backend `{name}`, which is not in `backends`: {}",
            suggest::advice(name, known)
        );
        section.refuse(key, &sentence);
        false
    }
}

/// What is wrong with a name, if anything is: it must fit into a path, and before a separator.
pub(super) fn fault(name: &str) -> Option<&'static str> {
    if name.is_empty() || name == "*" {
        return Some("is no name for a backend: give it one of letters, digits, `-` or `_`");
    }
    if matches!(name, "." | "..") {
        return Some(
            "is no name for a backend, because clients take it out of the path /mcp/NAME: rename it",
        );
    }
    if name.contains(['/', '\\', ':']) {
        return Some(
            "is no name for a backend, because it holds one of `/ \\ :`, which separate names from others: rename it",
        );
    }
    name.contains(|character: char| character.is_whitespace() || character.is_control())
        .then_some("is no name for a backend, because it holds white space: rename it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_a_path() {
        for name in ["github", "my-server.2", "Ünï_1"] {
            assert_eq!(fault(name), None, "{name}");
        }
        for name in ["", "*", ".", "..", "a/b", "a\\b", "a:b", "a b", "a\n"] {
            assert!(fault(name).is_some(), "{name:?}");
        }
    }
}
