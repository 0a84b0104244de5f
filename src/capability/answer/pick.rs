//! Where in a body the result stands.

use serde_json::Value;

use super::{filter::Filter, path::Path};

/// The definition's `response_path`: a path, or a filter of jq where only one can say it.
#[derive(Debug)]
pub(in crate::capability) enum Pick {
    /// The whole body.
    Whole,
    /// What stands at a path.
    At { path: Path, text: Box<str> },
    /// What a filter makes of it.
    Made(Filter),
}

impl Pick {
    /// Reads a `response_path`. One that begins with a dot or holds an operator is a filter.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key.
    pub(in crate::capability) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_filter = text.starts_with('.') || text.contains(['|', '(', '{', ',', ' ']);
        Ok(match text {
            "" | "$" | "." => Self::Whole,
            _ if is_filter => Self::Made(Filter::parse(text)?),
            _ => Self::At {
                path: Path::parse(text)?,
                text: text.into(),
            },
        })
    }

    /// What it finds in a body that is JSON.
    ///
    /// # Errors
    /// The end of a sentence that begins with "The answer".
    pub(super) fn of(&self, body: &[u8]) -> Result<Value, String> {
        let read = || serde_json::from_slice(body).map_err(|_| "is no JSON".to_owned());
        match self {
            Self::Whole => read(),
            Self::At { path, text } => {
                let value: Value = read()?;
                path.pick(&value)
                    .ok_or_else(|| format!("has nothing at {text}"))
            }
            Self::Made(filter) => filter.run(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_and_a_filter_are_told_apart_by_how_they_are_written() {
        let body = br#"{"a":{"b-c":[1,2]}}"#;
        for (text, value) in [
            ("a.b-c", json!([1, 2])),
            ("$.a.b-c[1]", json!(2)),
            (".a | keys", json!(["b-c"])),
            (".a[\"b-c\"] | add", json!(3)),
            (".", json!({"a": {"b-c": [1, 2]}})),
        ] {
            assert_eq!(
                Pick::parse(text).unwrap().of(body).unwrap(),
                value,
                "{text}"
            );
        }
        let missing = Pick::parse("a.x").unwrap().of(body).unwrap_err();
        assert_eq!(missing, "has nothing at a.x");
    }
}
