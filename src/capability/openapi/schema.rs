//! A schema of OpenAPI as one of JSON Schema 2020-12 for arguments: its text is written anew, and its references are noted.
//! What only version 3.0 says, `nullable` and limits that are exclusive by a truth value, is understood in later ones too:
//! documents are often carried over by their version alone.

use serde_json::value::RawValue;

use super::{
    compact::compact,
    document::{Dialect, Document, object},
    keyword::{Keyword, keyword},
    trouble::Trouble,
};
use crate::protocol::RawObject;

/// Schemas within each other before their nesting is refused. References do not count: they end one.
const DEPTH: usize = 64;
/// A schema of at most so many bytes without references is written where it is referred to: most are one string.
const SMALL: usize = 500;
/// The longest example that is kept, in bytes.
const EXAMPLE: usize = 100;
const TYPES: [&str; 7] = [
    "string", "number", "integer", "boolean", "array", "object", "null",
];

/// Who knows the definitions that references become.
pub(super) trait Definitions {
    /// The name that the target of a reference has among the definitions. `same` tells that it is about the value itself
    /// that refers to it, not about a part.
    fn name(&mut self, reference: &str, same: bool) -> Result<String, Trouble>;
}

/// Writes schemas behind each other.
pub(super) struct Writer<'w, 'a> {
    pub(super) document: &'w Document<'a>,
    pub(super) definitions: &'w mut dyn Definitions,
    pub(super) out: String,
}

/// What is known of a schema while its members are written.
struct Around<'a> {
    object: RawObject<'a>,
    nullable: bool,
    same: bool,
    depth: usize,
}

impl<'a> Writer<'_, 'a> {
    /// Writes one schema. `same` is whether it is about the value that the outermost one is about.
    ///
    /// # Errors
    /// If it is no schema, nested too deep, or has a reference that leads nowhere.
    pub(super) fn schema(
        &mut self,
        raw: &'a RawValue,
        same: bool,
        depth: usize,
    ) -> Result<(), Trouble> {
        if depth > DEPTH {
            return Err(Trouble::TooDeep);
        }
        if matches!(raw.get(), "true" | "false") {
            self.out.push_str(raw.get());
            return Ok(());
        }
        let object = object(raw)?;
        if let Some(reference) = object.read::<String>("$ref") {
            let alone = self.document.dialect == Dialect::V30 || object.0.len() == 1;
            if alone {
                return self.reference(&reference, same, depth);
            }
        }
        let nullable = object.read("nullable") == Some(true);
        let composed = ["allOf", "anyOf", "oneOf"]
            .iter()
            .any(|key| object.member(key).is_some());
        let beside = nullable && composed && object.member("type").is_none();
        if beside {
            self.out.push_str(r#"{"anyOf":["#);
        }
        self.members(&Around {
            object,
            nullable,
            same,
            depth,
        })?;
        if beside {
            self.out.push_str(r#",{"type":"null"}]}"#);
        }
        Ok(())
    }

    fn reference(&mut self, reference: &str, same: bool, depth: usize) -> Result<(), Trouble> {
        let target = self.document.target(reference)?;
        if target.get().len() <= SMALL && !target.get().contains("\"$ref\"") {
            return self.schema(target, same, depth + 1);
        }
        let name = self.definitions.name(reference, same)?;
        self.out
            .push_str(&format!(r##"{{"$ref":"#/$defs/{name}"}}"##));
        Ok(())
    }

    fn members(&mut self, around: &Around<'a>) -> Result<(), Trouble> {
        self.out.push('{');
        let start = self.out.len();
        for (key, value) in &around.object.0 {
            let before = self.out.len();
            if before > start {
                self.out.push(',');
            }
            if !self.member(around, key, value)? {
                self.out.truncate(before);
            }
        }
        self.out.push('}');
        Ok(())
    }

    /// Writes a member; `false` if it is left out.
    fn member(
        &mut self,
        around: &Around<'a>,
        key: &str,
        value: &'a RawValue,
    ) -> Result<bool, Trouble> {
        let depth = around.depth + 1;
        let kind = keyword(key);
        match kind {
            Keyword::Part | Keyword::Same => {
                self.key(key);
                self.schema(value, around.same && kind == Keyword::Same, depth)?;
            }
            Keyword::Parts | Keyword::Sames => {
                self.key(key);
                self.list(value, around.same && kind == Keyword::Sames, depth)?;
            }
            Keyword::Named | Keyword::Properties => {
                self.key(key);
                self.named(value, kind == Keyword::Properties, depth)?;
            }
            _ => return self.scalar(around, key, value),
        }
        Ok(true)
    }

    fn scalar(
        &mut self,
        around: &Around<'a>,
        key: &str,
        value: &'a RawValue,
    ) -> Result<bool, Trouble> {
        match keyword(key) {
            Keyword::Required => return Ok(self.required(around, value)),
            Keyword::Type => return Ok(self.kind(value, around.nullable)),
            Keyword::Enum => self.every(value, around.nullable),
            Keyword::Example => return Ok(self.example(around, value)),
            Keyword::Limit if around.object.read(exclusive(key)) == Some(true) => {
                return Ok(false);
            }
            Keyword::Exclusive => return Ok(self.exclusive(around, key, value)),
            Keyword::Dropped => return Ok(false),
            Keyword::Plain if key == "title" && around.object.member("description").is_some() => {
                return Ok(false);
            }
            Keyword::Plain if key == "$ref" => {
                let reference: String = around.object.read("$ref").unwrap_or_default();
                let name = self.definitions.name(&reference, around.same)?;
                self.out.push_str(&format!(r##""$ref":"#/$defs/{name}""##));
            }
            _ => {
                self.key(key);
                compact(value.get(), &mut self.out);
            }
        }
        Ok(true)
    }

    fn key(&mut self, key: &str) {
        self.out.push_str(&quoted(key));
        self.out.push(':');
    }

    fn list(&mut self, value: &'a RawValue, same: bool, depth: usize) -> Result<(), Trouble> {
        let items: Vec<&'a RawValue> = serde_json::from_str(value.get())
            .map_err(|_| Trouble::Malformed("a list of schemas".to_owned()))?;
        self.out.push('[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.schema(item, same, depth)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn named(
        &mut self,
        value: &'a RawValue,
        properties: bool,
        depth: usize,
    ) -> Result<(), Trouble> {
        self.out.push('{');
        let start = self.out.len();
        for (name, schema) in object(value)?.0 {
            if properties && is_read_only(schema) {
                continue;
            }
            if self.out.len() > start {
                self.out.push(',');
            }
            self.key(&name);
            self.schema(schema, false, depth)?;
        }
        self.out.push('}');
        Ok(())
    }

    /// The names that must be there, without those that only the other side writes.
    fn required(&mut self, around: &Around<'a>, value: &'a RawValue) -> bool {
        let Ok(mut names) = serde_json::from_str::<Vec<String>>(value.get()) else {
            return false;
        };
        let properties = super::document::object_of(&around.object, "properties");
        names.retain(|name| !properties.member(name).is_some_and(is_read_only));
        self.out.push_str(r#""required":"#);
        self.out
            .push_str(&serde_json::to_string(&names).unwrap_or_default());
        !names.is_empty()
    }

    fn kind(&mut self, value: &'a RawValue, nullable: bool) -> bool {
        let one = |raw: &str| serde_json::from_str::<String>(raw).map(|kind| vec![kind]);
        let Ok(mut kinds) = one(value.get()).or_else(|_| serde_json::from_str(value.get())) else {
            return false;
        };
        kinds.retain(|kind: &String| TYPES.contains(&kind.as_str()));
        if nullable && !kinds.is_empty() && !kinds.iter().any(|kind| kind == "null") {
            kinds.push("null".to_owned());
        }
        let text = match kinds.as_slice() {
            [] => return false,
            [one] => quoted(one),
            many => serde_json::to_string(many).unwrap_or_default(),
        };
        self.out.push_str(r#""type":"#);
        self.out.push_str(&text);
        true
    }

    fn every(&mut self, value: &'a RawValue, nullable: bool) {
        self.out.push_str(r#""enum":"#);
        compact(value.get(), &mut self.out);
        let values: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        if nullable && !values.is_empty() && !values.iter().any(|value| value.get() == "null") {
            self.out.truncate(self.out.len() - 1);
            self.out.push_str(",null]");
        }
    }

    fn example(&mut self, around: &Around<'a>, value: &'a RawValue) -> bool {
        let text = value.get();
        if text.len() > EXAMPLE
            || text.starts_with(['{', '['])
            || around.object.member("examples").is_some()
        {
            return false;
        }
        self.out.push_str(&format!(r#""examples":[{text}]"#));
        true
    }

    fn exclusive(&mut self, around: &Around<'a>, key: &str, value: &'a RawValue) -> bool {
        let limit = match value.get() {
            "true" => around.object.member(inclusive(key)),
            "false" => None,
            _ => Some(value),
        };
        if let Some(limit) = limit {
            self.out.push_str(&format!(r#""{key}":{}"#, limit.get()));
        }
        limit.is_some()
    }
}

fn exclusive(key: &str) -> &'static str {
    if key == "minimum" {
        "exclusiveMinimum"
    } else {
        "exclusiveMaximum"
    }
}

fn inclusive(key: &str) -> &'static str {
    if key == "exclusiveMinimum" {
        "minimum"
    } else {
        "maximum"
    }
}

/// Whether a property comes only from the other side.
pub(super) fn is_read_only(schema: &RawValue) -> bool {
    object(schema).is_ok_and(|object| object.read("readOnly") == Some(true))
}

/// A text as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    // Writing a string to memory cannot fail.
    serde_json::to_string(text).unwrap_or_default()
}
