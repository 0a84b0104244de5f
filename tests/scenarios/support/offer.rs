//! What both scripted backends offer: their identity, their tools, a resource, a prompt, and one result that is hard to carry.

use serde_json::{Value, json};

use super::frame::{self, Frame};

/// A tool result with everything that gateways have been seen to damage: unknown fields, 64-bit integers,
/// numbers beyond any float, escaped and non-BMP text, images, audio, links, and `_meta`.
pub(crate) const VERBATIM: &str = r#"{"content":[{"type":"text","text":"tab\t quote\" slash\/ \u00e9 \ud83d\ude00 😀 𐍈"},{"type":"image","data":"iVBORw0KGgo=","mimeType":"image/png","annotations":{"audience":["user"],"priority":0.10}},{"type":"audio","data":"UklGRg==","mimeType":"audio/wav"},{"type":"resource_link","uri":"file:///a%20b","name":"a b","unknown":{"deep":[null,true]}},{"type":"resource","resource":{"uri":"memo:///one","text":"","blob_like":1.0}}],"structuredContent":{"big":18446744073709551615,"small":-9223372036854775808,"huge":1e400,"tiny":1E-400,"exact":0.30000000000000004,"trailing":1.50,"minus":-0.0,"long":123456789012345678901234567890,"empty":{},"":"no name","twice":1},"isError":false,"_meta":{"vendor/x":{"keep":[1,2,3]}},"x-future":"yes"}"#;

/// The `initialize` result.
pub(crate) fn identity(name: &str) -> Value {
    json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {"listChanged": true}, "resources": {}, "prompts": {}, "logging": {}},
        "serverInfo": {"name": name, "version": "1.0.0"},
    })
}

/// The definition of one tool. Only tools whose name starts with `safe_` carry a hint that they may be repeated.
pub(crate) fn tool(name: &str) -> Value {
    let mut tool = json!({
        "name": name,
        "description": format!("A scripted tool that does {name}"),
        "inputSchema": {"type": "object", "$defs": {"n": {"type": "number"}}, "additionalProperties": true},
    });
    if name.starts_with("safe_") {
        tool["annotations"] = json!({"readOnlyHint": true, "idempotentHint": true});
    }
    tool
}

/// The answers that need no script: list, read and get of the one resource and the one prompt, and `ping`; methods that
/// begin with `echo/` get their params back.
pub(crate) fn plain_answer(frame: &Frame) -> Option<String> {
    if frame.method().starts_with("echo/") {
        return Some(echo(frame));
    }
    if frame.uri().is_some_and(|uri| uri.starts_with("nowhere:")) {
        return Some(frame::error(frame.id(), -32002, "Resource not found"));
    }
    let value = match frame.method() {
        "ping" => json!({}),
        "resources/list" => {
            json!({"resources": [{"uri": "memo:///one", "name": "one", "mimeType": "text/plain"}]})
        }
        "resources/templates/list" => json!({"resourceTemplates": []}),
        "resources/read" => {
            json!({"contents": [{"uri": "memo:///one", "mimeType": "text/plain", "text": "the memo"}]})
        }
        "prompts/list" => json!({"prompts": [{"name": "greet", "description": "Greets"}]}),
        "prompts/get" => {
            json!({"messages": [{"role": "user", "content": {"type": "text", "text": "greet somebody"}}]})
        }
        "tasks/list" => json!({"tasks": [task()]}),
        "tasks/get" | "tasks/cancel" => task(),
        "tasks/result" => json!({"content": [{"type": "text", "text": "done"}]}),
        "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => json!({}),
        _ => return None,
    };
    Some(frame::result(frame.id(), &value.to_string()))
}

/// A task, as older revisions tell of it.
pub(crate) fn task() -> Value {
    json!({"taskId": "t-1", "status": "working", "ttl": 1000})
}

fn echo(frame: &Frame) -> String {
    let (id, params) = (frame.id(), frame.params_text());
    if frame.method() == "echo/error" {
        return format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32602,"message":"echo","data":{params}}}}}"#
        );
    }
    frame::result(id, &format!(r#"{{"echo":{params}}}"#))
}
