//! What the demo backend answers to each method that needs no waiting.

use serde_json::{Value, json};

use super::{content, exchange::Refusal, tools};
use crate::protocol::{Revision, codes};

/// The result of a method, or why there is none.
pub(super) fn answer(method: &str, params: &Value) -> Result<Value, Refusal> {
    match method {
        "initialize" => Ok(initialize(params)),
        "ping" => Ok(json!({})),
        "tools/list" => list(params, "tools", &tools::definitions()),
        "tools/call" => tools::call(params),
        "resources/list" => list(params, "resources", &content::resources()),
        "resources/templates/list" => list(params, "resourceTemplates", &content::templates()),
        "resources/read" => content::read(params),
        "prompts/list" => list(params, "prompts", &content::prompts()),
        "prompts/get" => content::prompt(params),
        unknown => Err(Refusal::new(
            codes::METHOD_NOT_FOUND,
            format!("The demo backend has no method {unknown:?}."),
        )),
    }
}

/// The client's revision where it is known, else the newest one (MCP 2025-11-25, basic/lifecycle).
fn initialize(params: &Value) -> Value {
    let asked = params["protocolVersion"].as_str().and_then(Revision::parse);
    json!({
        "protocolVersion": asked.unwrap_or(Revision::LATEST_LEGACY).as_str(),
        "capabilities": {"tools": {}, "resources": {}, "prompts": {}},
        "serverInfo": {
            "name": "mcp-gateway-demo",
            "title": "Demo backend",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "instructions": "Call echo, add, sleep or fail to see how calls travel through the gateway.",
    })
}

/// Every list fits on one page, so no cursor was ever given out.
fn list(params: &Value, member: &str, items: &Value) -> Result<Value, Refusal> {
    if !params["cursor"].is_null() {
        return Err(Refusal::invalid_params(
            "This list has one page; ask for it without a cursor.",
        ));
    }
    Ok(json!({ member: items }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initialize_answers_in_the_clients_revision_or_the_newest() {
        let revision = |asked: &str| {
            answer("initialize", &json!({"protocolVersion": asked})).unwrap()["protocolVersion"]
                .clone()
        };
        assert_eq!(revision("2024-11-05"), "2024-11-05");
        assert_eq!(revision("1999-01-01"), "2025-11-25");
    }

    #[test]
    fn lists_have_one_page_and_unknown_methods_their_code() {
        let tools = answer("tools/list", &json!({})).unwrap();
        assert_eq!(tools["tools"].as_array().unwrap().len(), 4);
        let refused = |method: &str, params| answer(method, &params).unwrap_err().code;
        assert_eq!(refused("tools/list", json!({"cursor": "x"})), -32602);
        assert_eq!(refused("tools/lost", json!({})), -32601);
    }
}
