//! YAML as JSON text: one pass, so that there is one form in which a document is read.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{
    DuplicateKeyPolicy,
    options::{MergeKeyPolicy, NonFiniteFloatPolicy},
};

/// Maps, lists and scalars of one document: ten times as many as the largest one that was seen.
const NODES: usize = 10_000_000;
/// Maps and lists within each other. Without optimisation each takes up to 8 KiB of the stack, and a thread has 2 MiB.
const DEPTH: usize = 96;

/// The document that a text in YAML 1.2 holds, as JSON. Keys that are numbers become strings; of a key that is written
/// twice the first holds.
///
/// # Errors
/// What keeps the text from being YAML, with its line. It quotes no value.
pub(super) fn to_json(text: &str) -> Result<String, String> {
    let options = serde_saphyr::options! {
        with_snippet: false,
        strict_booleans: true,
        duplicate_keys: DuplicateKeyPolicy::FirstWins,
        merge_keys: MergeKeyPolicy::Merge,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        budget: serde_saphyr::budget! {
            max_nodes: NODES,
            max_events: NODES * 2,
            max_depth: DEPTH,
            enforce_alias_anchor_ratio: false,
        },
    };
    let mut json = String::with_capacity(text.len());
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        Json(&mut json).deserialize(yaml)
    })
    .map_err(|error| error.to_string())?;
    Ok(json)
}

/// Writes the value that it is shown behind what is written already.
struct Json<'a>(&'a mut String);

impl Json<'_> {
    fn quote(&mut self, text: &str) {
        // Writing a string to memory cannot fail.
        self.0
            .push_str(&serde_json::to_string(text).unwrap_or_default());
    }
}

impl<'de> DeserializeSeed<'de> for Json<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<(), D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Json<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push_str("null");
        Ok(())
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        self.visit_unit()
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.push_str(itoa::Buffer::new().format(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.push_str(itoa::Buffer::new().format(value));
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        let number = serde_json::to_string(&value).map_err(E::custom)?;
        self.0.push_str(&number);
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.quote(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.push('[');
        let first = self.0.len();
        loop {
            let before = self.0.len();
            if before > first {
                self.0.push(',');
            }
            if items.next_element_seed(Json(self.0))?.is_none() {
                self.0.truncate(before);
                break;
            }
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.0.push('{');
        let mut comma = "";
        while let Some(key) = entries.next_key::<String>()? {
            self.0.push_str(comma);
            comma = ",";
            self.quote(&key);
            self.0.push(':');
            entries.next_value_seed(Json(self.0))?;
        }
        self.0.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_becomes_its_like() {
        let yaml = "a: [1, -2, 1.5, true, ~, no, '1', \"x\\n\"]\nresponses:\n  200: {}\n  default: []\nb: |\n  two\n  lines\n";
        let expected = r#"{"a":[1,-2,1.5,true,null,"no","1","x\n"],"responses":{"200":{},"default":[]},"b":"two\nlines\n"}"#;
        assert_eq!(to_json(yaml).as_deref(), Ok(expected));
    }

    #[test]
    fn anchors_are_put_in_their_places_and_of_two_keys_the_first_holds() {
        let yaml = "x: &x {a: 1}\ny: *x\nz:\n  <<: *x\n  b: 2\nx: 3\n";
        let json = to_json(yaml).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let expected = serde_json::json!({"x": {"a": 1}, "y": {"a": 1}, "z": {"a": 1, "b": 2}});
        assert_eq!(json, expected);
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_line() {
        let refused = to_json("a: 1\nb: [1\n").unwrap_err();
        assert!(
            refused.contains("line 3") || refused.contains("line 2"),
            "{refused}"
        );
        let bomb: String = (1..30)
            .map(|level| {
                format!(
                    "a{level}: &a{level} [{0}, {0}, {0}, {0}]\n",
                    format!("*a{}", level - 1)
                )
            })
            .collect();
        assert!(to_json(&format!("a0: &a0 [x]\n{bomb}")).is_err());
        assert!(to_json(&"[".repeat(100_000)).is_err());
        let deep: String = (0..DEPTH - 8)
            .map(|depth| format!("{}a:\n", " ".repeat(depth)))
            .collect();
        assert!(to_json(&deep).is_ok(), "the stack of a thread takes it");
    }
}
