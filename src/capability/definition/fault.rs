//! What is wrong with a capability, and at which of its keys.

use std::fmt;

/// One fault, so that whoever reads a file can point at the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key it is about, in the words of the file: `providers.primary.config.params.q`.
    pub at: String,
    /// What is wrong, what that means, and what to do. It continues a sentence that begins with the key.
    pub sentence: String,
}

impl Fault {
    /// A fault at a key.
    pub fn new(at: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            at: at.into(),
            sentence: sentence.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.at, self.sentence)
    }
}

impl std::error::Error for Fault {}
