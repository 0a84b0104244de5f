//! `${VAR}` and `${VAR:-default}` inside a string, replaced by what the environment says. `$${` stands for a plain `${`.

use super::Environment;

/// Why a string cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ExpandError {
    /// The variable is not set, and no default is written.
    Missing(String),
    /// A `${` without its `}`.
    Unclosed,
    /// What stands between the braces is no name of a variable.
    BadName(String),
}

impl std::fmt::Display for ExpandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(name) => write!(
                f,
                "needs the environment variable {name}, which is not set: set it, name a file that sets it in env_files, or write ${{{name}:-default}}"
            ),
            Self::Unclosed => f.write_str(
                "has a `${` without its `}`: close it, or write `$${` for the two characters themselves",
            ),
            Self::BadName(name) => write!(
                f,
                "has `${{{name}}}`, but `{name}` is no name of a variable: use letters, digits and `_`, or write `$${{` for the two characters themselves"
            ),
        }
    }
}

/// The text with every variable in its place. A variable that is set to nothing counts as unset for `:-`.
pub(super) fn expand(text: &str, environment: &Environment) -> Result<String, ExpandError> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            expanded.push_str(&rest[..at - 1]);
            expanded.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        expanded.push_str(&rest[..at]);
        let inside = &rest[at + 2..];
        let end = closing_brace(inside).ok_or(ExpandError::Unclosed)?;
        expanded.push_str(&variable(&inside[..end], environment)?);
        rest = &inside[end + 1..];
    }
    expanded.push_str(rest);
    Ok(expanded)
}

fn variable(inside: &str, environment: &Environment) -> Result<String, ExpandError> {
    let (name, default) = match inside.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inside, None),
    };
    if !is_name(name) {
        return Err(ExpandError::BadName(name.to_owned()));
    }
    match (environment.value(name), default) {
        (Some(value), None) => Ok(value.to_owned()),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value.to_owned()),
        (_, Some(default)) => expand(default, environment),
        (None, None) => Err(ExpandError::Missing(name.to_owned())),
    }
}

/// Where the `}` is that closes the text before it, defaults that hold `${...}` themselves stepped over.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut previous = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '{' if previous == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        previous = character;
    }
    None
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, ExpandError> {
        let environment = [
            ("HOST", "example.org"),
            ("EMPTY", ""),
            ("DOLLAR", "${HOST}"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect();
        expand(text, &environment)
    }

    #[test]
    fn variables_are_replaced_and_nothing_else() {
        for (text, expected) in [
            ("https://${HOST}/mcp", "https://example.org/mcp"),
            ("${HOST}${HOST}", "example.orgexample.org"),
            ("${MISSING:-a b}", "a b"),
            ("${MISSING:-}", ""),
            ("${EMPTY}", ""),
            ("${EMPTY:-full}", "full"),
            ("${MISSING:-${HOST}:1}!", "example.org:1!"),
            ("$HOST costs $5 {x}", "$HOST costs $5 {x}"),
            ("$${HOST} and ${HOST}", "${HOST} and example.org"),
            ("${DOLLAR}", "${HOST}"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_expanded_says_why() {
        assert_eq!(
            read("${NOPE}"),
            Err(ExpandError::Missing("NOPE".to_owned()))
        );
        assert_eq!(read("a ${HOST"), Err(ExpandError::Unclosed));
        assert_eq!(read("${}"), Err(ExpandError::BadName(String::new())));
        assert_eq!(read("${A-B}"), Err(ExpandError::BadName("A-B".to_owned())));
        let sentence = ExpandError::Missing("NOPE".to_owned()).to_string();
        assert!(sentence.contains("NOPE, which is not set"), "{sentence}");
        assert!(sentence.contains("${NOPE:-default}"), "{sentence}");
    }
}
