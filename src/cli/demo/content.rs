//! The resource and the prompt of the demo backend.

use serde_json::{Value, json};

use super::exchange::Refusal;
use crate::protocol::codes;

const GREETING: &str = "demo://greeting";
const GREETING_FOR: &str = "demo://greeting/";

/// What `resources/list` shows.
pub(super) fn resources() -> Value {
    json!([{
        "uri": GREETING,
        "name": "greeting",
        "title": "Greeting",
        "description": "A greeting from the demo backend",
        "mimeType": "text/plain",
    }])
}

/// What `resources/templates/list` shows.
pub(super) fn templates() -> Value {
    json!([{
        "uriTemplate": "demo://greeting/{name}",
        "name": "greeting-for",
        "title": "Greeting for somebody",
        "description": "A greeting from the demo backend for the given name",
        "mimeType": "text/plain",
    }])
}

/// The contents of a resource.
pub(super) fn read(params: &Value) -> Result<Value, Refusal> {
    let uri = params["uri"].as_str();
    let uri =
        uri.ok_or_else(|| Refusal::invalid_params("resources/read needs params.uri, a string."))?;
    let text = greeting(uri).ok_or_else(|| Refusal {
        code: codes::RESOURCE_NOT_FOUND,
        message: format!("The demo backend has no resource {uri:?}; it has {GREETING}."),
        data: Some(json!({ "uri": uri })),
    })?;
    Ok(json!({"contents": [{"uri": uri, "mimeType": "text/plain", "text": text}]}))
}

fn greeting(uri: &str) -> Option<String> {
    if uri == GREETING {
        return Some("Hello from the demo backend.".to_owned());
    }
    let name = uri.strip_prefix(GREETING_FOR)?;
    (!name.is_empty()).then(|| format!("Hello {name}, from the demo backend."))
}

/// What `prompts/list` shows.
pub(super) fn prompts() -> Value {
    json!([{
        "name": "greet",
        "title": "Greet somebody",
        "description": "Asks for a friendly greeting",
        "arguments": [{"name": "name", "description": "Who is greeted", "required": true}],
    }])
}

/// The messages of a prompt.
pub(super) fn prompt(params: &Value) -> Result<Value, Refusal> {
    if params["name"] != "greet" {
        return Err(Refusal::invalid_params(
            "The demo backend has one prompt, greet.",
        ));
    }
    let name = params["arguments"]["name"].as_str();
    let name = name.ok_or_else(|| {
        Refusal::invalid_params("The prompt greet needs the argument \"name\", a string.")
    })?;
    let text = format!("Greet {name} in one friendly sentence.");
    Ok(json!({
        "description": "Asks for a friendly greeting",
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_read_by_its_uri_or_its_template() {
        let text = |uri: &str| read(&json!({"uri": uri})).unwrap()["contents"][0]["text"].clone();
        assert_eq!(text("demo://greeting"), "Hello from the demo backend.");
        assert_eq!(
            text("demo://greeting/Ada"),
            "Hello Ada, from the demo backend."
        );
    }

    #[test]
    fn a_resource_that_does_not_exist_has_its_own_code_and_names_the_uri() {
        let refusal = read(&json!({"uri": "demo://lost"})).unwrap_err();
        assert_eq!(
            (refusal.code, refusal.data),
            (-32002, Some(json!({"uri": "demo://lost"})))
        );
        assert_eq!(read(&json!({})).unwrap_err().code, -32602);
    }

    #[test]
    fn the_prompt_needs_its_argument() {
        let greeted = prompt(&json!({"name": "greet", "arguments": {"name": "Ada"}})).unwrap();
        assert_eq!(
            greeted["messages"][0]["content"]["text"],
            "Greet Ada in one friendly sentence."
        );
        assert_eq!(prompt(&json!({"name": "greet"})).unwrap_err().code, -32602);
        assert_eq!(prompt(&json!({"name": "lost"})).unwrap_err().code, -32602);
    }
}
