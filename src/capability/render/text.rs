//! Placeholders in text: in a path, in a header, in anything else that is a string.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    RenderFault,
    values::{Values, word},
};
use crate::capability::{Piece, Template};

/// Everything but what needs no encoding anywhere in a URL (RFC 3986, 2.3).
pub(super) const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// What a person may write in a path although it cannot stand in one.
const NO_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What stands in the place of a secret where people read.
pub(super) const STARS: &str = "***";

/// The text, unless a parameter of it is absent.
pub(super) fn text(template: &Template, values: &Values<'_>) -> Option<String> {
    written(template, values, |word| word)
}

/// The same for cookies: what would end one and begin another is percent-encoded in parameters (RFC 6265, 4.1.1).
pub(super) fn cookies(template: &Template, values: &Values<'_>) -> Option<String> {
    let encoded = |word: String| utf8_percent_encode(&word, RESERVED).to_string();
    written(template, values, encoded)
}

fn written(
    template: &Template,
    values: &Values<'_>,
    encoded: impl Fn(String) -> String,
) -> Option<String> {
    let mut text = String::new();
    for piece in template.pieces() {
        match piece {
            Piece::Text(plain) => text.push_str(plain),
            Piece::Parameter(name) => text.push_str(&encoded(word(values.present(name)?))),
            Piece::Secret(secret) => text.push_str(secret.expose()),
        }
    }
    Some(text)
}

/// A path that can be sent, and the same as people may read it.
pub(super) fn path(
    template: &Template,
    values: &Values<'_>,
) -> Result<(String, String), RenderFault> {
    let mut sent = String::new();
    let mut shown = String::new();
    for piece in template.pieces() {
        let encoded: Cow<'_, str> = match piece {
            Piece::Text(plain) => utf8_percent_encode(plain, NO_PATH).into(),
            Piece::Parameter(name) => {
                let value = values.present(name);
                let value = value.ok_or_else(|| RenderFault::Absent(name.clone()))?;
                segment(name, &word(value))?.into()
            }
            Piece::Secret(secret) => {
                sent.extend(utf8_percent_encode(secret.expose(), RESERVED));
                shown.push_str(STARS);
                continue;
            }
        };
        sent.push_str(&encoded);
        shown.push_str(&encoded);
    }
    match template.parameters().last() {
        Some(name) if climbs(&sent) => Err(RenderFault::NoSegment(name.into())),
        _ => Ok((sent, shown)),
    }
}

/// An argument in a path. An empty one would ask for the whole collection.
fn segment(name: &str, word: &str) -> Result<String, RenderFault> {
    if word.is_empty() || word == "." || word == ".." {
        return Err(RenderFault::NoSegment(name.into()));
    }
    Ok(utf8_percent_encode(word, RESERVED).to_string())
}

/// Whether a part of the path is one that servers take for the way up (RFC 3986, 5.2.4): two arguments side by side can
/// make one.
fn climbs(path: &str) -> bool {
    path.split('/').any(|part| part == "." || part == "..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::{capability::Surroundings, telemetry::Secret};

    pub(in crate::capability::render) struct Home;

    impl Surroundings for Home {
        fn variable(&self, _: &str) -> Option<Secret> {
            Some(Secret::new("s/cret"))
        }

        fn path(&self, text: &str) -> std::path::PathBuf {
            text.into()
        }
    }

    fn template(text: &str) -> Template {
        Template::parse(text, &Home).unwrap()
    }

    fn said(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    fn path_of(written: &str, arguments: Value) -> Result<(String, String), RenderFault> {
        let said = said(arguments);
        let values = Values {
            said: &said,
            fixed: &[],
            defaults: &[],
        };
        path(&template(written), &values)
    }

    #[test]
    fn an_argument_never_leaves_its_part_of_the_path() {
        for (argument, part) in [
            (json!("a b"), "a%20b"),
            (json!("../admin"), "..%2Fadmin"),
            (json!("x?y=1#z"), "x%3Fy%3D1%23z"),
            (json!("100%"), "100%25"),
            (json!("Zürich"), "Z%C3%BCrich"),
            (json!(7), "7"),
            (json!(true), "true"),
            (json!(["a", "b/c"]), "a%2Cb%2Fc"),
        ] {
            let (sent, shown) = path_of("/v1/{id}/x y", json!({ "id": argument })).unwrap();
            assert_eq!(sent, format!("/v1/{part}/x%20y"));
            assert_eq!(shown, sent);
        }
    }

    proptest! {
        #[test]
        fn any_argument_is_one_part_of_the_path_and_reads_back(argument in any::<String>()) {
            match path_of("/v1/{id}/end", json!({"id": argument})) {
                Ok((sent, _)) => {
                    let url: http::Uri = format!("http://h{sent}?q=1").parse().unwrap();
                    let parts: Vec<_> = url.path().split('/').collect();
                    prop_assert_eq!((parts.len(), parts[1], parts[3]), (4, "v1", "end"));
                    let read = percent_encoding::percent_decode_str(parts[2]).decode_utf8().unwrap();
                    prop_assert_eq!(&*read, argument.as_str());
                    prop_assert_eq!(url.query(), Some("q=1"));
                }
                Err(_) => prop_assert!(["", ".", ".."].contains(&argument.as_str())),
            }
        }
    }

    #[test]
    fn an_argument_that_would_name_another_resource_is_refused() {
        for argument in [json!(""), json!("."), json!(".."), json!([])] {
            let fault = path_of("/users/{id}", json!({ "id": argument }));
            assert_eq!(fault, Err(RenderFault::NoSegment("id".into())));
        }
        let fault = path_of("/users/{a}{b}", json!({"a": ".", "b": "."}));
        assert_eq!(fault, Err(RenderFault::NoSegment("a".into())));
        let fault = path_of("/users/.{a}", json!({"a": "."}));
        assert_eq!(fault, Err(RenderFault::NoSegment("a".into())));
        for absent in [json!({}), json!({"id": null})] {
            assert_eq!(
                path_of("/{id}", absent),
                Err(RenderFault::Absent("id".into()))
            );
        }
    }

    #[test]
    fn a_secret_in_a_path_is_sent_and_not_shown() {
        let (sent, shown) = path_of("/{env.KEY}/a", json!({})).unwrap();
        assert_eq!((&*sent, &*shown), ("/s%2Fcret/a", "/***/a"));
    }

    #[test]
    fn a_text_whose_parameter_is_absent_is_none_at_all() {
        let said = said(json!({"a": "x", "odd": "1; admin=1", "n": null, "list": [1, "b"]}));
        let values = Values {
            said: &said,
            fixed: &[("fixed".into(), json!(1.50))],
            defaults: &[("fallen".to_owned(), json!("back"))],
        };
        let made = |written: &str| text(&template(written), &values);
        assert_eq!(made("a={a} {list}").as_deref(), Some("a=x 1,b"));
        assert_eq!(made("{fixed} {fallen}").as_deref(), Some("1.5 back"));
        assert_eq!(made("a={a} {none}"), None);
        let sid = template("sid={a}; n={odd}");
        assert_eq!(
            cookies(&sid, &values).as_deref(),
            Some("sid=x; n=1%3B%20admin%3D1")
        );
        assert_eq!(made("{n}"), None);
    }
}
