//! A JSON-RPC answer as a situation judges it.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{http::Response, sse::events_in};

/// One JSON-RPC answer; the result stays text, so that nothing a client would see is lost.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The messages that came before it on the same stream.
    pub(crate) before: Vec<String>,
    /// The answer as text.
    pub(crate) text: String,
    parts: Parts,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Parts {
    #[serde(default)]
    id: Option<Box<RawValue>>,
    #[serde(default)]
    result: Option<Box<RawValue>>,
    #[serde(default)]
    error: Option<Value>,
}

impl Reply {
    /// The answer in a response, whether it came as JSON or as the last event of a stream.
    pub(crate) fn from_response(response: &Response) -> Self {
        let stream = response
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        let mut messages = if stream {
            events_in(&response.text())
        } else {
            vec![response.text()]
        };
        let text = messages.pop().unwrap_or_default();
        Self::from_text(messages, text)
    }

    /// The answer in one JSON text.
    pub(crate) fn from_text(before: Vec<String>, text: String) -> Self {
        Self {
            before,
            parts: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    /// The id as JSON text.
    pub(crate) fn id(&self) -> &str {
        self.parts.id.as_deref().map_or("null", RawValue::get)
    }

    /// The result as JSON text; fails where there is none.
    pub(crate) fn raw_result(&self) -> &str {
        let Some(result) = self.parts.result.as_deref() else {
            panic!("no result: {self:?}");
        };
        result.get()
    }

    /// The result; fails where there is none, or one that no [`Value`] can hold.
    pub(crate) fn result(&self) -> Value {
        serde_json::from_str(self.raw_result()).unwrap()
    }

    /// The JSON-RPC error; fails where there is none.
    pub(crate) fn error(&self) -> Value {
        let Some(error) = self.parts.error.clone() else {
            panic!("no error: {self:?}");
        };
        error
    }

    /// The code of the JSON-RPC error.
    pub(crate) fn code(&self) -> i64 {
        self.error()["code"].as_i64().unwrap()
    }

    /// The text of a tool's first content block, or of the error.
    pub(crate) fn said(&self) -> String {
        if let Some(error) = &self.parts.error {
            return error["message"].as_str().unwrap_or_default().to_owned();
        }
        self.result()["content"][0]["text"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Whether a tool answered and did not fail.
    pub(crate) fn is_good(&self) -> bool {
        self.parts.error.is_none()
            && self.parts.result.is_some()
            && !self.raw_result().contains(r#""isError":true"#)
    }

    /// What the gateway says to the model about a call that failed; null where it says nothing.
    pub(crate) fn recovery(&self) -> Value {
        let place = self.parts.error.as_ref().map_or_else(
            || self.result(),
            |error| error.get("data").cloned().unwrap_or_default(),
        );
        [
            "/structuredContent/recovery",
            "/_meta/recovery",
            "/recovery",
        ]
        .iter()
        .find_map(|path| place.pointer(path).cloned())
        .unwrap_or_default()
    }

    /// The `error_code` of the recovery.
    pub(crate) fn refusal(&self) -> String {
        self.recovery()["error_code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}
