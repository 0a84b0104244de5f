//! The name of a capability, which is the name of its tool.

use std::fmt;

/// The longest name, in characters: what the clients of models take for a tool.
const LONGEST: usize = 64;

/// 1 to 64 of letters, digits, `_`, `-` and `.` (MCP 2025-11-25, server/tools, tool names; the length is that of the
/// strictest client).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

impl Name {
    /// The name, if it can be one.
    ///
    /// # Errors
    /// The end of a sentence that begins with the text, if it cannot.
    pub fn new(text: &str) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(fits) {
            return Err(format!(
                "is no name of a tool: use 1 to {LONGEST} of letters, digits, `_`, `-` and `.`"
            ));
        }
        Ok(Self(text.into()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_what_clients_take_for_a_tool() {
        for text in ["weather", "repos.list-for_user2", &"a".repeat(64)] {
            assert_eq!(
                Name::new(text).map(|name| name.to_string()),
                Ok(text.to_owned())
            );
        }
        for text in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert!(Name::new(text).is_err(), "{text:?}");
        }
    }
}
