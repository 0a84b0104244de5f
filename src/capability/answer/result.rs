//! The result of a tool as MCP writes it (2025-11-25, server/tools, tool result).

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Taken;
use crate::capability::refusal::Refusal;

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
/// What happened, if it says so and this is no object.
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
                "The provider's answer is no object, although the capability has an output schema: response_path is to be mended, \
                 or schema.output to be left out.",
            );
        };
        result.insert("structuredContent".to_owned(), object.clone());
    }
    let meta = said(notes);
    if !meta.is_empty() {
        result.insert("_meta".to_owned(), meta.into());
    }
    Ok(Value::Object(result).to_string().into())
}

/// The result of a call that went wrong in a way that the model can mend or should know of. What it reads is also in `_meta`,
/// in the parts that the gateway's own refusals have.
pub(in crate::capability) fn failed(refusal: &Refusal, notes: &Notes) -> Bytes {
    let Refusal {
        error_code,
        happened,
        suggest,
    } = refusal;
    let text = json!([{"type": "text", "text": format!("{happened} {suggest}")}]);
    let mut meta = said(notes);
    let recovery = json!({"error_code": error_code, "message": happened, "suggest": suggest});
    meta.insert("recovery".to_owned(), recovery);
    json!({"content": text, "isError": true, "_meta": meta})
        .to_string()
        .into()
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

/// The notes, as members of `_meta`.
fn said(notes: &Notes) -> Map<String, Value> {
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
    let mut meta = Map::new();
    if !said.is_empty() {
        meta.insert(NOTES.to_owned(), said.into());
    }
    meta
}
