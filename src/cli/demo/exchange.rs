//! What a request brings and what goes back: params, a text, a refusal.

use serde_json::{Value, json};

use crate::protocol::{Message, codes};

/// A JSON-RPC error in the making.
#[derive(Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) code: i64,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

impl Refusal {
    pub(super) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
        }
    }

    pub(super) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(codes::INVALID_PARAMS, message)
    }
}

/// The params of a message; an empty object where it has none.
pub(super) fn params_of(message: &Message) -> Value {
    let params = message.params();
    params
        .and_then(|params| serde_json::from_slice(&params).ok())
        .unwrap_or_else(|| json!({}))
}

/// A result of one text.
pub(super) fn said(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}
