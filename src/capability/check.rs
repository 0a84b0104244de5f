//! Are the arguments of a call what the input schema asks for?

use jsonschema::Validator;
use serde_json::{Map, Value};

use super::Schema;
use crate::telemetry::redact::excerpt;

/// How many faults are told at once.
const MOST: usize = 5;

/// An input schema, compiled once.
#[derive(Debug)]
pub(super) struct Checker(Validator);

impl Checker {
    /// Compiles a schema. References to other documents are not followed.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key.
    pub(super) fn new(schema: &Schema) -> Result<Self, String> {
        let wrong = |error: String| format!("is no JSON Schema that can be used: {error}");
        let value: Value =
            serde_json::from_str(schema.raw().get()).map_err(|error| wrong(error.to_string()))?;
        jsonschema::options()
            .build(&value)
            .map(Self)
            .map_err(|error| wrong(excerpt(&error.to_string(), []).into()))
    }

    /// Whether the arguments are what it asks for.
    ///
    /// # Errors
    /// What is wrong with them, as sentences.
    pub(super) fn check(&self, arguments: &Map<String, Value>) -> Result<(), String> {
        let value = Value::Object(arguments.clone());
        let mut faults: Vec<String> = self
            .0
            .iter_errors(&value)
            .take(MOST + 1)
            .map(|error| {
                let at = error.instance_path().to_string();
                let what = excerpt(&error.to_string(), []);
                match at.trim_start_matches('/') {
                    "" => what.into(),
                    at => format!("`{}`: {what}", at.replace('/', ".")),
                }
            })
            .collect();
        if faults.is_empty() {
            return Ok(());
        }
        if faults.len() > MOST {
            faults[MOST] = "and more".to_owned();
        }
        Err(format!(
            "The arguments are not what the tool's inputSchema asks for: {}. Nothing was sent.",
            faults.join("; ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn checked(schema: &Value, arguments: Value) -> Result<(), String> {
        let schema = Schema::new(schema.to_string()).unwrap();
        let checker = Checker::new(&schema).unwrap();
        checker.check(&serde_json::from_value(arguments).unwrap())
    }

    #[test]
    fn a_fault_names_the_argument_and_what_it_should_be() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "days": {"type": "integer", "maximum": 16},
                "units": {"enum": ["metric", "imperial"]},
                "near": {"type": "array", "items": {"type": "object", "required": ["lat"]}},
            },
            "required": ["city"],
            "additionalProperties": false,
        });
        assert_eq!(checked(&schema, json!({"city": "Bern", "days": 3})), Ok(()));
        for (arguments, words) in [
            (json!({}), vec!["\"city\" is a required property"]),
            (
                json!({"city": 5}),
                vec!["`city`: 5 is not of type \"string\""],
            ),
            (json!({"city": "x", "days": 20}), vec!["`days`: 20", "16"]),
            (
                json!({"city": "x", "units": "k"}),
                vec!["`units`", "metric"],
            ),
            (json!({"city": "x", "town": 1}), vec!["town"]),
            (json!({"city": "x", "near": [{}]}), vec!["`near.0`", "lat"]),
            (json!({"days": "x"}), vec!["city", "`days`"]),
        ] {
            let sentence = checked(&schema, arguments).unwrap_err();
            for word in words {
                assert!(sentence.contains(word), "{word} is not in {sentence}");
            }
            assert!(sentence.ends_with("Nothing was sent."));
        }
    }

    #[test]
    fn many_faults_and_long_values_make_no_long_sentence() {
        let schema = json!({"type": "object", "additionalProperties": {"type": "integer"}});
        let arguments: Map<_, _> = (0..50)
            .map(|n| (format!("a{n}"), json!("x".repeat(9_000))))
            .collect();
        let sentence = checked(&schema, Value::Object(arguments)).unwrap_err();
        assert!(
            sentence.len() < 3_000 && sentence.contains("and more"),
            "{sentence}"
        );
    }

    #[test]
    fn a_schema_that_points_elsewhere_is_no_way_out() {
        for schema in [
            json!({"properties": {"a": {"$ref": "http://127.0.0.1:1/x.json"}}}),
            json!({"properties": {"a": {"$ref": "file:///etc/passwd"}}}),
            json!({"properties": {"a": {"type": "strin"}}}),
        ] {
            let schema = Schema::new(schema.to_string()).unwrap();
            assert!(Checker::new(&schema).is_err());
        }
    }
}
