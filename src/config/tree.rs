//! YAML as a tree in which every key and every value knows its line and column.

use std::{fmt, path::Path, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Spanned, options::NonFiniteFloatPolicy};

use super::{Finding, Place};

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) at: Place,
    pub(super) value: Value,
}

/// A value as it was written: a scalar and a literal are their text, whatever YAML would take them for, so that
/// `1.0` stays `1.0` where a string is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nothing,
    Scalar(String),
    /// A number or a truth value.
    Literal(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key, its place, and what it holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Place,
    pub(super) node: Node,
}

/// The tree of a file.
pub(super) fn parse_file(text: &str, file: &Arc<Path>) -> Result<Node, Finding> {
    let place = |location: Location| Place::Line {
        file: Arc::clone(file),
        line: location.line(),
        column: location.column(),
    };
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.starts_with('#'))
    {
        return Ok(Node {
            at: Place::File(Arc::clone(file)),
            value: Value::Nothing,
        });
    }
    parse(text)
        .map(|raw| node(raw, text, &place))
        .map_err(|error| {
            let at = error
                .location()
                .map_or_else(|| Place::File(Arc::clone(file)), place);
            Finding::new(&at, not_yaml(&error))
        })
}

/// The tree of one value of an environment variable; every place in it is that variable.
pub(super) fn parse_variable(text: &str, name: &Place) -> Result<Node, Finding> {
    parse(text)
        .map(|raw| node(raw, text, &|_| name.clone()))
        .map_err(|error| Finding::new(name, not_yaml(&error)))
}

fn parse(text: &str) -> Result<Spanned<Raw>, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options(
        text,
        serde_saphyr::options! {
            with_snippet: false,
            non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        },
    )
}

/// The library's own sentence without its place, which is known better here. No error of the syntax quotes a value.
fn not_yaml(error: &serde_saphyr::Error) -> String {
    match error {
        serde_saphyr::Error::DuplicateMappingKey { key, .. } => format!(
            "the key `{}` is written twice in one section, so nobody can say which holds: remove one",
            key.as_deref().unwrap_or_default()
        ),
        serde_saphyr::Error::MultipleDocuments { .. } => {
            "a second document begins here, but a configuration is one: remove the `---` before it"
                .to_owned()
        }
        _ => {
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or_default();
            format!("this is not YAML that can be read: {reason}; mend it here, or just before")
        }
    }
}

fn node(raw: Spanned<Raw>, text: &str, place: &dyn Fn(Location) -> Place) -> Node {
    let value = match raw.value {
        Raw::Nothing => Value::Nothing,
        Raw::Text(scalar) => Value::Scalar(scalar),
        Raw::Literal(parsed) => Value::Literal(as_written(text, raw.defined).unwrap_or(parsed)),
        Raw::List(items) => Value::List(
            items
                .into_iter()
                .map(|item| node(item, text, place))
                .collect(),
        ),
        Raw::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| Entry {
                    key: key.value,
                    at: place(key.referenced),
                    node: node(value, text, place),
                })
                .collect(),
        ),
    };
    Node {
        at: place(raw.referenced),
        value,
    }
}

fn as_written(text: &str, location: Location) -> Option<String> {
    let span = location.span();
    let start = usize::try_from(span.byte_offset()?).ok()?;
    let end = start.checked_add(usize::try_from(span.byte_len()?).ok()?)?;
    text.get(start..end).map(|slice| slice.trim().to_owned())
}

/// What serde sees; `Literal` is a number or a truth value, whose own text is fetched from the source.
enum Raw {
    Nothing,
    Text(String),
    Literal(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Literal(value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Finding> {
        parse_file(text, &Path::new("g.yaml").into())
    }

    fn place(line: u64, column: u64) -> Place {
        Place::Line {
            file: Path::new("g.yaml").into(),
            line,
            column,
        }
    }

    fn entries(node: &Node) -> &[Entry] {
        match &node.value {
            Value::Map(entries) => entries,
            other => panic!("not a map: {other:?}"),
        }
    }

    #[test]
    fn keys_and_values_know_their_places() {
        let root = read("server:\n  port: 39400\n  host: \"localhost\"\n").unwrap();
        let server = &entries(&root)[0];
        assert_eq!((server.key.as_str(), &server.at), ("server", &place(1, 1)));
        let port = &entries(&server.node)[0];
        assert_eq!(port.at, place(2, 3));
        assert_eq!(port.node.at, place(2, 9));
        assert_eq!(entries(&server.node)[1].node.at, place(3, 9));
    }

    #[test]
    fn a_scalar_is_its_own_text_whatever_yaml_takes_it_for() {
        let root = read("a: [1.0, 0x10, true, 1e400, '007', 007, 99999999999999999999, yes, ~, 2025-06-18]\nb: &n 1.50\nc: *n\n")
            .unwrap();
        let Value::List(items) = &entries(&root)[0].node.value else {
            panic!("not a list")
        };
        let texts: Vec<_> = items
            .iter()
            .map(|item| match &item.value {
                Value::Scalar(text) | Value::Literal(text) => text.as_str(),
                _ => "-",
            })
            .collect();
        assert_eq!(
            texts,
            [
                "1.0",
                "0x10",
                "true",
                "1e400",
                "007",
                "007",
                "99999999999999999999",
                "yes",
                "-",
                "2025-06-18"
            ]
        );
        assert_eq!(
            entries(&root)[2].node,
            Node {
                at: place(3, 4),
                value: Value::Literal("1.50".to_owned())
            }
        );
    }

    #[test]
    fn an_empty_file_is_nothing() {
        for text in ["", "\n", "# only a comment\n\n", "---\n"] {
            assert_eq!(read(text).unwrap().value, Value::Nothing, "{text:?}");
        }
    }

    #[test]
    fn what_is_not_yaml_names_its_line_and_quotes_no_value() {
        for (text, line, reason) in [
            ("a: 1\nb: [s3cret, s3cret2\n", 2, "unclosed bracket"),
            ("a: 1\n b: s3cret\n", 2, "not allowed in this context"),
            ("a: 1\na: s3cret\n", 2, "the key `a` is written twice"),
            ("a: \"s3cret\n", 2, "quoted scalar"),
            ("a: *s3cret\n", 1, "unknown anchor"),
            ("a:\n\tb: s3cret\n", 2, "tabs"),
            ("a: @s3cret\n", 1, "unexpected character"),
            ("a: !!int s3cret\n", 1, "invalid"),
            ("a: s3c: ret\n", 1, "not allowed in this context"),
            ("a: &x [*x]\n", 1, "recursive"),
            ("a: b\n---\nb: s3cret\n", 3, "a second document"),
            ("[a, s3cret]: b\n", 1, "expected string"),
        ] {
            let finding = read(text).unwrap_err();
            assert!(
                matches!(finding.place, Place::Line { line: found, .. } if found == line),
                "{text:?}: {finding}"
            );
            let sentence = finding.sentence;
            assert!(sentence.contains(reason), "{text:?}: {sentence}");
            assert!(!sentence.contains("s3c"), "{text:?}: {sentence}");
            assert!(!sentence.contains(" at line "), "{text:?}: {sentence}");
        }
    }
}
