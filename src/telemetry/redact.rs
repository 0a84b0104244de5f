//! A value that must never be read in a log, an error or a metric.

use std::fmt;

/// A secret string: `Debug` and `Display` print stars, and only [`Secret::expose`] gives the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Box<str>);

impl Secret {
    /// Wraps a secret.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire and for comparison.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The longest excerpt, in characters.
const EXCERPT: usize = 400;
/// Shorter words are too common to be taken for secrets, in bytes.
const SHORTEST: usize = 8;

/// What somebody else wrote, as it may stand in an error or a log: its beginning, on one line, with stars in place of every
/// word of `secrets` of at least 8 bytes.
pub fn excerpt<'a>(text: &str, secrets: impl IntoIterator<Item = &'a Secret>) -> Box<str> {
    let mut shown = text.trim().to_owned();
    let words = secrets
        .into_iter()
        .flat_map(|secret| secret.0.split_whitespace());
    for word in words.filter(|word| word.len() >= SHORTEST) {
        if shown.contains(word) {
            shown = shown.replace(word, "***");
        }
    }
    let mut characters = shown.chars();
    let mut cut: String = characters
        .by_ref()
        .take(EXCERPT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if characters.next().is_some() {
        cut.push('…');
    }
    cut.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_on_one_line_and_without_secrets() {
        let secrets = [Secret::new("Bearer hunter2-and-more"), Secret::new("on")];
        let written = "\x1b[31mbad token hunter2-and-more\nsent on";
        assert_eq!(&*excerpt(written, &secrets), " [31mbad token *** sent on");
        assert_eq!(excerpt(&"é".repeat(500), []).chars().count(), EXCERPT + 1);
    }

    #[test]
    fn a_secret_prints_as_stars() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(secret.expose(), "hunter2");
    }
}
