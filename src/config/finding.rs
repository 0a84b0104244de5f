//! Something to say about a configuration, and the place it was written.

use std::{fmt, path::Path, sync::Arc};

/// Where a setting was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nowhere: no configuration was found, and the defaults hold.
    Defaults,
    /// A file as a whole.
    File(Arc<Path>),
    /// A line and a column of a file, both counted from 1.
    Line {
        /// The file.
        file: Arc<Path>,
        /// The line.
        line: u64,
        /// The column, in characters.
        column: u64,
    },
    /// An environment variable.
    Variable(Arc<str>),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("the built-in configuration"),
            Self::File(file) => write!(f, "{}", file.display()),
            Self::Line { file, line, column } => {
                write!(f, "{}:{line}:{column}", file.display())
            }
            Self::Variable(name) => write!(f, "environment variable {name}"),
        }
    }
}

/// One sentence about one place. It never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about.
    pub place: Place,
    /// What is wrong, what that means, and what to do.
    pub sentence: String,
}

impl Finding {
    pub(super) fn new(place: &Place, sentence: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.sentence)
    }
}

/// All that stands in the way of a configuration, in the order of the file. Displays one finding per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Finding>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl From<Finding> for Problems {
    fn from(finding: Finding) -> Self {
        Self(vec![finding])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_begins_with_its_place() {
        let file: Arc<Path> = Path::new("gateway.yaml").into();
        let line = Place::Line {
            file: Arc::clone(&file),
            line: 3,
            column: 7,
        };
        assert_eq!(
            Problems(vec![
                Finding::new(&line, "first"),
                Finding::new(&Place::File(file), "second"),
                Finding::new(&Place::Variable("X".into()), "third"),
            ])
            .to_string(),
            "gateway.yaml:3:7: first\ngateway.yaml: second\nenvironment variable X: third"
        );
    }
}
