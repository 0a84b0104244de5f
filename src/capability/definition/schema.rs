//! A JSON Schema as its own text: read when something is asked of it, and kept in one allocation however large it is.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::protocol::RawObject;

/// The schema of a tool's arguments or of its result: an object that describes objects.
#[derive(Clone, Debug)]
pub struct Schema(Arc<RawValue>);

impl Schema {
    /// A schema from its text.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key, if this is no JSON object or describes something else than objects.
    pub fn new(text: String) -> Result<Self, String> {
        let wrong = "is no schema of an object: write `type: object` and its `properties`";
        let object = RawObject::parse(text.as_bytes()).ok_or_else(|| wrong.to_owned())?;
        let is_object = match object.member("type") {
            None => return Self::new(with_type(&text)),
            Some(written) => written.get() == "\"object\"",
        };
        if !is_object {
            return Err(wrong.to_owned());
        }
        RawValue::from_string(text)
            .map(|raw| Self(raw.into()))
            .map_err(|_| wrong.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn raw(&self) -> &RawValue {
        &self.0
    }

    /// The names of the properties.
    #[must_use]
    pub fn properties(&self) -> Vec<String> {
        self.each_property(|name, _| Some(name.to_owned()))
    }

    /// The properties that must be there.
    #[must_use]
    pub fn required(&self) -> Vec<String> {
        let object = RawObject::parse(self.0.get().as_bytes());
        let required = object.and_then(|object| object.read("required"));
        required.unwrap_or_default()
    }

    /// The properties that have a default, and it: that is what a placeholder becomes whose argument is absent.
    #[must_use]
    pub fn defaults(&self) -> Vec<(String, serde_json::Value)> {
        self.each_property(|name, property| {
            let default = RawObject::parse(property.get().as_bytes())?.read("default")?;
            Some((name.to_owned(), default))
        })
    }

    fn each_property<T>(&self, see: impl Fn(&str, &RawValue) -> Option<T>) -> Vec<T> {
        let Some(object) = RawObject::parse(self.0.get().as_bytes()) else {
            return Vec::new();
        };
        let properties = object.member("properties").map_or("{}", RawValue::get);
        let properties = RawObject::parse(properties.as_bytes()).unwrap_or_default();
        let each = properties.0.iter();
        each.filter_map(|(name, value)| see(name, value)).collect()
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Default for Schema {
    /// One that takes an object of any members.
    fn default() -> Self {
        Self(
            RawValue::from_string(EMPTY.to_owned())
                .unwrap_or_default()
                .into(),
        )
    }
}

const EMPTY: &str = r#"{"type":"object"}"#;

/// The text of an object with `type` before its members.
fn with_type(object: &str) -> String {
    let inside = object.trim().trim_start_matches('{').trim_start();
    let comma = if inside.starts_with('}') { "" } else { "," };
    format!(r#"{{"type":"object"{comma}{inside}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Result<String, String> {
        Schema::new(text.to_owned()).map(|schema| schema.raw().get().to_owned())
    }

    #[test]
    fn a_schema_describes_an_object_and_is_kept_as_it_is_written() {
        let text = r#"{"properties": {"a": {"maximum": 1.50}}, "type": "object"}"#;
        assert_eq!(schema(text).as_deref(), Ok(text));
        assert_eq!(schema("{}").as_deref(), Ok(EMPTY));
        let expected = r#"{"type":"object","properties":{}}"#;
        assert_eq!(schema(r#" { "properties":{}}"#).as_deref(), Ok(expected));
        assert_eq!(Schema::default().raw().get(), EMPTY);
        for wrong in [
            "[]",
            "1",
            "{",
            r#"{"type":"array"}"#,
            r#"{"type":["object"]}"#,
        ] {
            assert!(schema(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn properties_defaults_and_what_is_required_are_read_from_it() {
        let text = r#"{"type":"object","properties":{"a":{"default":5},"b":{},"c":true},"required":["b"]}"#;
        let schema = Schema::new(text.to_owned()).unwrap();
        assert_eq!(schema.properties(), ["a", "b", "c"]);
        assert_eq!(schema.required(), ["b"]);
        assert_eq!(schema.defaults(), [("a".to_owned(), 5.into())]);
    }
}
