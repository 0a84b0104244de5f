//! A schema that says no more than which members an object has: they can be arguments of their own.

use serde_json::value::RawValue;

use super::{
    document::{Document, list_of, object_of},
    schema::is_read_only,
};

/// Objects within `allOf` within each other before they are taken as they are.
const DEPTH: usize = 8;
/// With one of these a schema says more than its members do, and each alone would not.
const MORE: [&str; 9] = [
    "oneOf",
    "anyOf",
    "not",
    "if",
    "patternProperties",
    "dependentSchemas",
    "dependentRequired",
    "minProperties",
    "discriminator",
];

/// The members of an object, in the order of the document.
#[derive(Debug, Default)]
pub(super) struct PlainObject<'a> {
    pub(super) members: Vec<Member<'a>>,
}

/// One member.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) name: String,
    pub(super) schema: &'a RawValue,
    pub(super) required: bool,
}

impl<'a> PlainObject<'a> {
    /// The object that a schema describes, if it is a plain one with at least one member.
    pub(super) fn read(schema: &'a RawValue, document: &Document<'a>) -> Option<Self> {
        let mut object = Self::default();
        let mut required = Vec::new();
        object.take(schema, document, &mut required, 0)?;
        for member in &mut object.members {
            member.required = required.contains(&member.name);
        }
        object.members.sort_by_key(|member| !member.required);
        (!object.members.is_empty()).then_some(object)
    }

    fn take(
        &mut self,
        schema: &'a RawValue,
        document: &Document<'a>,
        required: &mut Vec<String>,
        depth: usize,
    ) -> Option<()> {
        let object = document.object(schema).ok().filter(|_| depth < DEPTH)?;
        let kind: Option<String> = object.read("type");
        let is_object = kind.as_deref().unwrap_or("object") == "object";
        let open = object
            .member("additionalProperties")
            .is_some_and(|more| more.get() != "false");
        let more = MORE.iter().any(|key| object.member(key).is_some());
        if !is_object || open || more || object.read("nullable") == Some(true) {
            return None;
        }
        for part in list_of(&object, "allOf") {
            self.take(part, document, required, depth + 1)?;
        }
        for (name, schema) in object_of(&object, "properties").0 {
            let known = self.members.iter().any(|member| member.name == name);
            if !known && !is_read_only(schema) {
                self.members.push(Member {
                    name: name.into_owned(),
                    schema,
                    required: false,
                });
            }
        }
        required.extend(object.read::<Vec<String>>("required").unwrap_or_default());
        Some(())
    }
}
