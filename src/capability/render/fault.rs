//! Why the arguments of a call make no request.

use std::fmt;

/// The caller's fault, as a sentence without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::capability) enum RenderFault {
    /// The path has a place for it.
    Absent(Box<str>),
    /// It stands alone between two slashes, or is the whole way up.
    NoSegment(Box<str>),
    /// A header cannot hold it.
    NoHeader {
        /// The header.
        header: Box<str>,
    },
    /// What came out is no URL.
    NoUrl,
}

impl fmt::Display for RenderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(name) => write!(f, "The argument `{name}` is missing"),
            Self::NoSegment(name) => write!(
                f,
                "The argument `{name}` is empty or made of dots, which would name another resource"
            ),
            Self::NoHeader { header } => write!(
                f,
                "What the arguments make of the header {header} holds a line end or another character that no header can hold"
            ),
            Self::NoUrl => f.write_str("The arguments make no URL that can be called"),
        }
    }
}
