//! What one JSON-RPC message asks, with every part kept as the text it came in.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// A message as a scripted backend reads it. Numbers that no `f64` holds stay readable, because nothing is parsed further.
#[derive(Deserialize)]
pub(crate) struct Frame {
    /// The id as raw JSON text.
    #[serde(default)]
    pub(crate) id: Option<Box<RawValue>>,
    /// The method; absent in a response.
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    params: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Params {
    #[serde(default)]
    name: String,
    #[serde(default)]
    arguments: Option<Box<RawValue>>,
    #[serde(default, rename = "_meta")]
    meta: Option<Value>,
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    uri: Option<String>,
}

/// What a `tools/call` asks for.
pub(crate) struct Asked {
    /// The tool.
    pub(crate) name: String,
    /// The arguments as raw JSON text.
    pub(crate) arguments: String,
    /// The progress token as raw JSON text.
    pub(crate) progress_token: Option<String>,
}

impl Asked {
    /// One argument, or null where it is absent or the arguments are no JSON that a [`Value`] can hold.
    pub(crate) fn argument(&self, name: &str) -> Value {
        let arguments: Value = serde_json::from_str(&self.arguments).unwrap_or_default();
        arguments.get(name).cloned().unwrap_or_default()
    }

    /// One argument that is a whole number.
    pub(crate) fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.argument(name).as_u64().unwrap_or(otherwise)
    }
}

impl Frame {
    /// Reads one message.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The method, or "" for a response.
    pub(crate) fn method(&self) -> &str {
        self.method.as_deref().unwrap_or_default()
    }

    /// The id as JSON text, `null` for a notification.
    pub(crate) fn id(&self) -> &str {
        self.id.as_deref().map_or("null", RawValue::get)
    }

    /// The params as JSON text, `null` where there are none.
    pub(crate) fn params_text(&self) -> &str {
        self.params.as_deref().map_or("null", RawValue::get)
    }

    /// What a `tools/call` asks for.
    pub(crate) fn asked(&self) -> Option<Asked> {
        let params = self.params()?;
        let progress_token = params
            .meta
            .as_ref()
            .and_then(|meta| meta.get("progressToken"))
            .map(Value::to_string);
        Some(Asked {
            name: params.name,
            arguments: params
                .arguments
                .map_or_else(|| "{}".to_owned(), |raw| raw.get().to_owned()),
            progress_token,
        })
    }

    /// The page that a list request asks for.
    pub(crate) fn cursor(&self) -> Option<String> {
        self.params()?.cursor
    }

    /// The resource that a request is about.
    pub(crate) fn uri(&self) -> Option<String> {
        self.params()?.uri
    }

    /// The tool that this message calls, if it is a call.
    pub(crate) fn called_tool(&self) -> Option<String> {
        (self.method() == "tools/call")
            .then(|| self.asked())
            .flatten()
            .map(|asked| asked.name)
    }

    /// One of its params; null where it is absent or no [`Value`] can hold it.
    pub(crate) fn param(&self, name: &str) -> Value {
        let raw = self.raw_param(name);
        serde_json::from_str(&raw.unwrap_or_default()).unwrap_or_default()
    }

    /// One of its params as JSON text.
    pub(crate) fn raw_param(&self, name: &str) -> Option<String> {
        let mut params: HashMap<String, Box<RawValue>> =
            serde_json::from_str(self.params_text()).ok()?;
        params.remove(name).map(|raw| raw.get().to_owned())
    }

    fn params(&self) -> Option<Params> {
        serde_json::from_str(self.params.as_deref()?.get()).ok()
    }
}

/// A JSON-RPC response with a result given as JSON text.
pub(crate) fn result(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

/// A JSON-RPC response with an error.
pub(crate) fn error(id: &str, code: i64, message: &str) -> String {
    let message = Value::from(message);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message}}}}}"#)
}

/// A tool result that says one text.
pub(crate) fn said(id: &str, text: &str) -> String {
    let text = Value::from(text);
    result(
        id,
        &format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#),
    )
}
