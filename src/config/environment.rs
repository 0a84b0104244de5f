//! The variables a configuration may speak of: the process's own, and beneath them those of `env_files`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Names and values. The process's own environment always wins over a file.
#[derive(Clone, Default)]
pub struct Environment {
    own: BTreeMap<String, String>,
    of_files: BTreeMap<String, String>,
}

impl Environment {
    /// What the process was started with; a name or value that is not UTF-8 is left out.
    #[must_use]
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.own
            .get(name)
            .or_else(|| self.of_files.get(name))
            .map(String::as_str)
    }

    /// Adds the variables of a file; those that the process or an earlier file has keep their values.
    pub(super) fn absorb(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            if !self.own.contains_key(&name) {
                self.of_files.entry(name).or_insert(value);
            }
        }
    }

    /// Every variable whose name begins with `prefix`, by name.
    pub(super) fn with_prefix<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.own
            .iter()
            .chain(&self.of_files)
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The variables that only files have: a child process does not inherit them by itself.
    pub(super) fn of_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.of_files
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// A path as a person writes it: a leading `~/` is their home directory.
    pub(super) fn path(&self, text: &str) -> PathBuf {
        match (text.strip_prefix("~/"), self.value("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => PathBuf::from(text),
        }
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self {
            own: variables.into_iter().collect(),
            of_files: BTreeMap::new(),
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("own", &self.own.len())
            .field("of_files", &self.of_files.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_process_wins_over_files_and_the_first_file_over_later_ones() {
        let mut environment = Environment::from_iter([pair("A", "own"), pair("HOME", "/home/me")]);
        environment.absorb([pair("A", "file"), pair("B", "first")]);
        environment.absorb([pair("B", "second"), pair("C", "second")]);
        assert_eq!(environment.value("A"), Some("own"));
        assert_eq!(environment.value("B"), Some("first"));
        assert_eq!(environment.value("D"), None);
        assert_eq!(
            environment.of_files().collect::<Vec<_>>(),
            [("B", "first"), ("C", "second")]
        );
    }

    #[test]
    fn a_tilde_is_the_home_directory_and_values_stay_out_of_debug() {
        let environment = Environment::from_iter([pair("HOME", "/home/me")]);
        assert_eq!(environment.path("~/x.env"), Path::new("/home/me/x.env"));
        assert_eq!(environment.path("x~/y"), Path::new("x~/y"));
        assert!(!format!("{environment:?}").contains("/home/me"));
    }
}
