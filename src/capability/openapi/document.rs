//! An OpenAPI document as its own text: its parts are found by their pointers and read when they are needed.

use std::{borrow::Cow, collections::HashMap};

use serde_json::value::RawValue;

use super::{trouble::Trouble, yaml};
use crate::protocol::RawObject;

/// References that may lead to references, one after another.
const HOPS: usize = 16;

/// The text of a document as JSON, whatever it was written in.
#[derive(Debug)]
pub struct DocumentText(String);

impl DocumentText {
    /// Reads a file's bytes: JSON, or YAML.
    ///
    /// # Errors
    /// The end of a sentence that begins with the document, if it is neither.
    pub fn new(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is not text in UTF-8".to_owned())?;
        let text = text.trim_start_matches('\u{feff}');
        if serde_json::from_str::<&RawValue>(text).is_ok() {
            return Ok(Self(text.to_owned()));
        }
        yaml::to_json(text)
            .map(Self)
            .map_err(|error| format!("is neither JSON nor YAML: {error}"))
    }
}

/// Which rules hold for the schemas of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAPI 3.0: nothing beside a `$ref` counts.
    V30,
    /// OpenAPI 3.1 and later: JSON Schema 2020-12.
    V31,
}

/// A document whose version is known.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) root: RawObject<'a>,
    pub(super) dialect: Dialect,
    /// What stands below `components`, by its section and its name: nearly all references lead there.
    components: HashMap<(Cow<'a, str>, Cow<'a, str>), &'a RawValue>,
}

impl<'a> Document<'a> {
    /// # Errors
    /// The end of a sentence that begins with the document, if this is no OpenAPI 3.
    pub(super) fn new(text: &'a DocumentText) -> Result<Self, String> {
        let root = RawObject::parse(text.0.as_bytes())
            .ok_or_else(|| "is no OpenAPI document: it holds no object".to_owned())?;
        let dialect = dialect(&root)?;
        let mut components = HashMap::new();
        for (section, members) in object_of(&root, "components").0 {
            let Some(members) = RawObject::parse(members.get().as_bytes()) else {
                continue;
            };
            for (name, value) in members.0 {
                components.entry((section.clone(), name)).or_insert(value);
            }
        }
        Ok(Self {
            root,
            dialect,
            components,
        })
    }

    /// The object that a value is or refers to.
    ///
    /// # Errors
    /// If the reference leads nowhere, or this is no object.
    pub(super) fn object(&self, value: &'a RawValue) -> Result<RawObject<'a>, Trouble> {
        self.followed(value).map(|(object, _)| object)
    }

    /// The same, with the value itself that the references led to.
    pub(super) fn followed(
        &self,
        mut value: &'a RawValue,
    ) -> Result<(RawObject<'a>, &'a RawValue), Trouble> {
        let mut last = None;
        for _ in 0..HOPS {
            let object = object(value)?;
            let Some(reference) = object.read::<String>("$ref") else {
                return Ok((object, value));
            };
            value = self.target(&reference)?;
            last = Some(reference);
        }
        Err(Trouble::Circle(last.unwrap_or_default()))
    }

    /// What a reference leads to.
    pub(super) fn target(&self, reference: &str) -> Result<&'a RawValue, Trouble> {
        let Some(pointer) = reference.strip_prefix("#/") else {
            return Err(Trouble::Elsewhere(reference.to_owned()));
        };
        let dangling = || Trouble::Dangling(reference.to_owned());
        let mut steps = pointer.split('/').map(decoded);
        let first = steps.next().ok_or_else(dangling)?;
        let start = match &*first {
            "components" => {
                let section = steps.next().ok_or_else(dangling)?;
                let name = steps.next().ok_or_else(dangling)?;
                self.components.get(&(section, name)).copied()
            }
            other => self.root.member(other),
        };
        steps
            .try_fold(start.ok_or_else(dangling)?, |value, step| {
                below(value, &step)
            })
            .ok_or_else(dangling)
    }
}

fn dialect(root: &RawObject<'_>) -> Result<Dialect, String> {
    if root.member("swagger").is_some() {
        return Err(
            "is Swagger 2.0, which is not read here: convert it to OpenAPI 3 first".to_owned(),
        );
    }
    let version: Cow<'_, str> = match root.member("openapi") {
        None => {
            return Err("is no OpenAPI document: it has no `openapi` with its version".to_owned());
        }
        Some(raw) => Cow::Borrowed(raw.get().trim_matches('"')),
    };
    match version.split('.').take(2).collect::<Vec<_>>()[..] {
        ["3", "0"] => Ok(Dialect::V30),
        ["3", "1" | "2"] => Ok(Dialect::V31),
        _ => Err(format!(
            "is written in OpenAPI {version}, which is not read here: 3.0 and 3.1 are"
        )),
    }
}

/// The value as an object.
pub(super) fn object(value: &RawValue) -> Result<RawObject<'_>, Trouble> {
    RawObject::parse(value.get().as_bytes()).ok_or_else(|| {
        let start: String = value.get().chars().take(40).collect();
        Trouble::Malformed(format!("`{start}`"))
    })
}

/// A member that should be an object; without members if it is absent or something else.
pub(super) fn object_of<'a>(object: &RawObject<'a>, key: &str) -> RawObject<'a> {
    object
        .member(key)
        .and_then(|value| RawObject::parse(value.get().as_bytes()))
        .unwrap_or_default()
}

/// The elements of a member that should be a list; none if it is absent or something else.
pub(super) fn list_of<'a>(object: &RawObject<'a>, key: &str) -> Vec<&'a RawValue> {
    object.read(key).unwrap_or_default()
}

fn below<'a>(value: &'a RawValue, step: &str) -> Option<&'a RawValue> {
    match step.parse::<usize>() {
        Ok(index) if value.get().starts_with('[') => {
            let list: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            list.get(index).copied()
        }
        _ => RawObject::parse(value.get().as_bytes())?.member(step),
    }
}

/// A step of a JSON pointer in a URI fragment (RFC 6901, 6 and 4).
fn decoded(step: &str) -> Cow<'static, str> {
    let step = percent_encoding::percent_decode_str(step).decode_utf8_lossy();
    Cow::Owned(step.replace("~1", "/").replace("~0", "~"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_followed_wherever_they_lead() {
        let text = DocumentText::new(br##"{"openapi":"3.0.3","paths":{"/a/{b}":{"x":[{"y":1}]}},
            "components":{"schemas":{"A":{"$ref":"#/components/schemas/B%20~0"},"B ~":{"p":{"q":true}},"C":{"$ref":"#/components/schemas/C"}}}}"##).unwrap();
        let document = Document::new(&text).unwrap();
        let at = |reference: &str| document.target(reference).map(RawValue::get);
        assert_eq!(at("#/paths/~1a~1{b}/x/0/y"), Ok("1"));
        assert_eq!(at("#/components/schemas/B%20~0/p/q"), Ok("true"));
        let a = document.target("#/components/schemas/A").unwrap();
        assert!(document.object(a).unwrap().member("p").is_some());
        let c = document.target("#/components/schemas/C").unwrap();
        assert!(matches!(document.object(c), Err(Trouble::Circle(_))));
        assert!(matches!(
            at("#/components/schemas/D"),
            Err(Trouble::Dangling(_))
        ));
        assert!(matches!(at("#/components"), Err(Trouble::Dangling(_))));
        assert!(matches!(at("other.yaml#/x"), Err(Trouble::Elsewhere(_))));
    }

    #[test]
    fn json_and_yaml_are_told_apart_and_versions_too() {
        for (text, expected) in [
            ("\u{feff}{\"openapi\":\"3.0.0\"}", Ok(Dialect::V30)),
            ("openapi: 3.1.1\npaths: {}\n", Ok(Dialect::V31)),
            ("openapi: '3.0'\n", Ok(Dialect::V30)),
            ("swagger: '2.0'\n", Err("is Swagger 2.0")),
            ("openapi: 4.0.0\n", Err("is written in OpenAPI 4.0.0")),
            ("{}", Err("has no `openapi`")),
            ("[]", Err("holds no object")),
        ] {
            let document = DocumentText::new(text.as_bytes()).unwrap();
            match (Document::new(&document), expected) {
                (Ok(document), Ok(dialect)) => assert_eq!(document.dialect, dialect, "{text}"),
                (Err(error), Err(part)) => assert!(error.contains(part), "{error}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
        assert!(DocumentText::new(b"\xff").unwrap_err().contains("UTF-8"));
        assert!(
            DocumentText::new(b"a: [")
                .unwrap_err()
                .contains("neither JSON nor YAML")
        );
    }
}
