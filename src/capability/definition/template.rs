//! Text with placeholders in it, parsed once.

use super::Surroundings;
use crate::telemetry::Secret;

/// A part of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands as it is.
    Text(Box<str>),
    /// What the caller, the schema's default or a static parameter says for this name.
    Parameter(Box<str>),
    /// The value of an environment variable, which nobody may read in an error, a log or a span.
    Secret(Secret),
}

/// Text in which `{name}` stands for a parameter and `{env.NAME}` for an environment variable; `{{name}}` is the text
/// `{name}` itself. Braces around anything else stand for themselves, so that JSON and GraphQL need no escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Box<[Piece]>);

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// The end of a sentence that begins with the text, if a variable is not set.
    pub fn parse(text: &str, surroundings: &dyn Surroundings) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            let (piece, length) = placeholder(rest, surroundings)?;
            match piece {
                Piece::Text(text) => plain.push_str(&text),
                other => {
                    put_text(&mut pieces, &mut plain);
                    pieces.push(other);
                }
            }
            rest = &rest[length..];
        }
        plain.push_str(rest);
        put_text(&mut pieces, &mut plain);
        Ok(Self(pieces.into()))
    }

    /// These pieces in their order.
    #[must_use]
    pub fn new(pieces: Vec<Piece>) -> Self {
        Self(pieces.into())
    }

    /// Text without a placeholder.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::new(vec![Piece::Text(text.into())])
    }

    /// A parameter alone: where that matters it keeps the type that it has in JSON.
    #[must_use]
    pub fn parameter(name: &str) -> Self {
        Self::new(vec![Piece::Parameter(name.into())])
    }

    /// Its pieces in their order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The name of the parameter that it is and nothing besides.
    #[must_use]
    pub fn alone(&self) -> Option<&str> {
        match &*self.0 {
            [Piece::Parameter(name)] => Some(name),
            _ => None,
        }
    }

    /// The names of its parameters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Parameter(name) => Some(&**name),
            Piece::Text(_) | Piece::Secret(_) => None,
        })
    }
}

fn put_text(pieces: &mut Vec<Piece>, plain: &mut String) {
    if !plain.is_empty() {
        pieces.push(Piece::Text(std::mem::take(plain).into()));
    }
}

/// What the text begins with, which is a brace, and how many bytes that takes.
fn placeholder(text: &str, surroundings: &dyn Surroundings) -> Result<(Piece, usize), String> {
    if let Some(name) = text
        .strip_prefix("{{")
        .and_then(|inside| named(inside, "}}"))
    {
        return Ok((Piece::Text(format!("{{{name}}}").into()), name.len() + 4));
    }
    let Some(name) = named(&text[1..], "}") else {
        return Ok((Piece::Text("{".into()), 1));
    };
    let piece = match name.strip_prefix("env.") {
        Some(variable) => Piece::Secret(surroundings.variable(variable).ok_or_else(|| {
            format!("needs the environment variable {variable}, which is not set: set it, or name a file that sets it in env_files")
        })?),
        None => Piece::Parameter(name.into()),
    };
    Ok((piece, name.len() + 2))
}

/// The name that the text begins with, if `end` follows it.
fn named<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    let name = &text[..text.find('}')?];
    (is_name(name) && text[name.len()..].starts_with(end)).then_some(name)
}

/// Whether a text between braces is taken for the name of a parameter.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '$' | '@'))
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'@' | b'[' | b']')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::definition::key::tests::Pretended;

    fn parse(text: &str) -> Vec<Piece> {
        Template::parse(text, &Pretended).unwrap().0.into_vec()
    }

    fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    fn parameter(name: &str) -> Piece {
        Piece::Parameter(name.into())
    }

    #[test]
    fn names_in_braces_are_placeholders_and_other_braces_are_text() {
        assert_eq!(parse("{q}"), [parameter("q")]);
        assert_eq!(
            parse("/users/{user-id}/x{filter[a]}"),
            [
                text("/users/"),
                parameter("user-id"),
                text("/x"),
                parameter("filter[a]")
            ]
        );
        for plain in [
            "",
            "a}",
            "{",
            "{}",
            "{ id }",
            "{\"a\":1}",
            "a{2}",
            "{a b}",
            "{a",
        ] {
            assert_eq!(
                Template::parse(plain, &Pretended).unwrap(),
                Template::new(if plain.is_empty() {
                    vec![]
                } else {
                    vec![text(plain)]
                }),
                "{plain}"
            );
        }
    }

    #[test]
    fn two_braces_stand_for_the_placeholder_as_text() {
        assert_eq!(parse("{{q}} {q}"), [text("{q} "), parameter("q")]);
        assert_eq!(parse("{{q}"), [text("{"), parameter("q")]);
    }

    #[test]
    fn a_variable_is_a_secret_and_one_that_is_not_set_is_said() {
        assert_eq!(
            parse("Bearer {env.TOKEN}"),
            [text("Bearer "), Piece::Secret(Secret::new("hunter2"))]
        );
        let refused = Template::parse("{env.NONE}", &Pretended).unwrap_err();
        assert!(
            refused.starts_with("needs the environment variable NONE"),
            "{refused}"
        );
    }

    #[test]
    fn a_parameter_alone_is_known_as_such() {
        let alone = |text| {
            Template::parse(text, &Pretended)
                .unwrap()
                .alone()
                .map(str::to_owned)
        };
        assert_eq!(alone("{q}").as_deref(), Some("q"));
        assert_eq!(alone("{q} "), None);
        let both = Template::parse("{a}-{b}", &Pretended).unwrap();
        assert_eq!(both.parameters().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_and_text_without_a_name_in_braces_stays(text in "[{}a.\\[ ä]{0,12}") {
            let parsed = Template::parse(&text, &Pretended);
            if let Ok(parsed) = parsed && parsed.parameters().next().is_none() && !text.contains("{{") {
                let back: String = parsed.pieces().iter().map(|piece| match piece {
                    Piece::Text(text) => &**text,
                    _ => "",
                }).collect();
                proptest::prop_assert_eq!(back, text);
            }
        }
    }
}
