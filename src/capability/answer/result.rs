//! The result of a tool as MCP writes it (2025-11-25, server/tools, tool result).

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Taken;

/// What is said beside a result, in its `_meta`.
#[derive(Debug, Default)]
pub(in crate::capability) struct Notes {
    /// Who answered, if somebody else was asked first.
    pub(in crate::capability) provider: Option<Box<str>>,
    /// Those who were asked first, and why they gave no answer.
    pub(in crate::capability) switched: Vec<Switched>,
    /// Where the next page is.
    pub(in crate::capability) next: Option<String>,
}

/// A provider that did not answer.
#[derive(Debug)]
pub(in crate::capability) struct Switched {
    pub(in crate::capability) provider: Box<str>,
    pub(in crate::capability) error: Box<str>,
}

/// The member of `_meta` that holds the notes.
const NOTES: &str = "capability";

/// The result of a call that was answered. `structured` is whether the tool says what its results look like.
///
/// # Errors
/// The sentence for the model, if it says so and this is no object.
pub(in crate::capability) fn told(
    taken: &Taken,
    structured: bool,
    notes: &Notes,
) -> Result<Bytes, &'static str> {
    let mut result = Map::new();
    result.insert("content".to_owned(), json!([content(taken)]));
    if structured {
        let Taken::Json {
            value: Some(object @ Value::Object(_)),
            ..
        } = taken
        else {
            return Err(
                "The provider's answer is no object, although the capability has an output schema. This is a fault of its \
                 definition: mend response_path, or leave schema.output out.",
            );
        };
        result.insert("structuredContent".to_owned(), object.clone());
    }
    put_notes(&mut result, notes);
    Ok(Value::Object(result).to_string().into())
}

/// The result of a call that went wrong in a way that the model can mend or should know of.
pub(in crate::capability) fn failed(sentence: &str, notes: &Notes) -> Bytes {
    let mut result = Map::new();
    let text = json!([{"type": "text", "text": sentence}]);
    result.insert("content".to_owned(), text);
    result.insert("isError".to_owned(), true.into());
    put_notes(&mut result, notes);
    Value::Object(result).to_string().into()
}

fn content(taken: &Taken) -> Value {
    match taken {
        Taken::Json { text, .. } | Taken::Text(text) => json!({"type": "text", "text": text}),
        Taken::Bytes { kind, base64 } if kind.starts_with("image/") => {
            json!({"type": "image", "data": base64, "mimeType": kind})
        }
        Taken::Bytes { kind, base64 } if kind.starts_with("audio/") => {
            json!({"type": "audio", "data": base64, "mimeType": kind})
        }
        Taken::Bytes { kind, base64 } => json!({
            "type": "resource",
            "resource": {"uri": "capability:answer", "mimeType": kind, "blob": base64},
        }),
    }
}

fn put_notes(result: &mut Map<String, Value>, notes: &Notes) {
    let mut said = Map::new();
    if let Some(provider) = &notes.provider {
        said.insert("provider".to_owned(), (&**provider).into());
    }
    if !notes.switched.is_empty() {
        let each = notes
            .switched
            .iter()
            .map(|it| json!({"provider": &*it.provider, "error": &*it.error}));
        said.insert("instead_of".to_owned(), each.collect());
    }
    if let Some(next) = &notes.next {
        said.insert("next".to_owned(), next.as_str().into());
    }
    if !said.is_empty() {
        result.insert("_meta".to_owned(), json!({ NOTES: said }));
    }
}
