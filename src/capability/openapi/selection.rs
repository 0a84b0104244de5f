//! Which operations of a document are wanted.

use wildmatch::WildMatch;

/// Patterns; without any, all are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

/// `tag:repos`, `path:/repos/*`, `operation:list*`, or the last without its first word.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    of: Of,
    wild: WildMatch,
    written: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Tag,
    Path,
    Operation,
}

/// What an operation is chosen by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen<'a> {
    pub(super) tags: &'a [Box<str>],
    pub(super) path: &'a str,
    /// The document's name for it, and ours.
    pub(super) names: [&'a str; 2],
}

impl Pattern {
    /// Reads a pattern; `*` stands for any text and `?` for one letter.
    ///
    /// # Errors
    /// The end of a sentence that begins with the text, if its first word is no kind of pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (of, pattern) = match text.split_once(':') {
            None => (Of::Operation, text),
            Some(("tag", pattern)) => (Of::Tag, pattern),
            Some(("path", pattern)) => (Of::Path, pattern),
            Some(("operation", pattern)) => (Of::Operation, pattern),
            Some(_) => {
                return Err(
                    "is no pattern: write tag:NAME, path:/START/* or operation:NAME".to_owned(),
                );
            }
        };
        Ok(Self {
            of,
            wild: WildMatch::new(pattern),
            written: text.into(),
        })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    fn matches(&self, operation: &Chosen<'_>) -> bool {
        match self.of {
            Of::Tag => operation.tags.iter().any(|tag| self.wild.matches(tag)),
            Of::Path => self.wild.matches(operation.path),
            Of::Operation => operation.names.iter().any(|name| self.wild.matches(name)),
        }
    }
}

impl Selection {
    /// What one of `include` matches, if there are any, and none of `exclude`.
    #[must_use]
    pub fn new(include: Vec<Pattern>, exclude: Vec<Pattern>) -> Self {
        Self { include, exclude }
    }

    pub(super) fn wants(&self, operation: &Chosen<'_>) -> bool {
        let included = self.include.is_empty()
            || self
                .include
                .iter()
                .any(|pattern| pattern.matches(operation));
        included
            && !self
                .exclude
                .iter()
                .any(|pattern| pattern.matches(operation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_chosen_by_tag_path_and_name() {
        let wants = |include: &[&str], exclude: &[&str]| {
            let patterns = |list: &[&str]| {
                list.iter()
                    .map(|text| Pattern::parse(text).unwrap())
                    .collect()
            };
            let tags = ["repos".into(), "beta".into()];
            let chosen = Chosen {
                tags: &tags,
                path: "/repos/{id}",
                names: ["repos/get", "repos_get"],
            };
            Selection::new(patterns(include), patterns(exclude)).wants(&chosen)
        };
        assert!(wants(&[], &[]));
        for include in [
            "tag:repos",
            "tag:b*",
            "path:/repos/*",
            "operation:repos/get",
            "repos_g?t",
        ] {
            assert!(wants(&["tag:none", include], &[]), "{include}");
            assert!(!wants(&[], &[include]), "{include}");
        }
        for include in ["tag:rep", "path:/repos", "operation:repos", "repos"] {
            assert!(!wants(&[include], &[]), "{include}");
        }
        assert!(!wants(&["tag:repos"], &["tag:beta"]));
        assert!(Pattern::parse("tags:x").unwrap_err().contains("tag:NAME"));
    }
}
