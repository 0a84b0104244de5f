//! The tools of the demo backend.

use serde_json::{Value, json};

use super::exchange::{Refusal, said};

/// What `tools/list` shows.
pub(super) fn definitions() -> Value {
    json!([
        tool(
            "echo",
            "Echo",
            "Gives a message back.",
            &json!({"message": text("What to give back")})
        ),
        with_output(
            tool(
                "add",
                "Add",
                "Adds two numbers.",
                &json!({"a": {"type": "number"}, "b": {"type": "number"}}),
            ),
            &json!({"sum": {"type": "number"}}),
        ),
        tool(
            "sleep",
            "Sleep",
            "Waits, and reports progress where the call asks for it.",
            &json!({"ms": {
                "type": "integer",
                "minimum": 0,
                "maximum": super::sleep::MAX_MS,
                "description": "How long to wait, in milliseconds",
            }}),
        ),
        tool(
            "fail",
            "Fail",
            "Fails with a message.",
            &json!({"message": text("What the failure says")})
        ),
    ])
}

/// Calls a tool that answers at once. Arguments that do not fit are the tool's own error, so that the model that sent
/// them reads what to mend (MCP 2025-11-25, server/tools, error handling).
pub(super) fn call(params: &Value) -> Result<Value, Refusal> {
    let name = params["name"].as_str();
    let name =
        name.ok_or_else(|| Refusal::invalid_params("tools/call needs params.name, a string."))?;
    let arguments = &params["arguments"];
    if !(arguments.is_object() || arguments.is_null()) {
        return Err(Refusal::invalid_params(
            "params.arguments must be an object.",
        ));
    }
    let outcome = match name {
        "echo" => message(arguments).map(said),
        "add" => add(arguments),
        "fail" => message(arguments).and_then(|message| Err(message.to_owned())),
        "sleep" => Err(format!(
            "sleep needs \"ms\", an integer from 0 to {}.",
            super::sleep::MAX_MS
        )),
        unknown => {
            return Err(Refusal::invalid_params(format!(
                "The demo backend has no tool {unknown:?}; it has echo, add, sleep and fail."
            )));
        }
    };
    Ok(outcome.unwrap_or_else(|reason| failed(&reason)))
}

fn failed(reason: &str) -> Value {
    json!({"content": [{"type": "text", "text": reason}], "isError": true})
}

fn message(arguments: &Value) -> Result<&str, String> {
    arguments["message"]
        .as_str()
        .ok_or_else(|| "The tool needs \"message\", a string.".to_owned())
}

/// Integers stay integers as long as their sum is one of 64 bits.
fn add(arguments: &Value) -> Result<Value, String> {
    let (a, b) = (&arguments["a"], &arguments["b"]);
    let whole = a
        .as_i64()
        .zip(b.as_i64())
        .and_then(|(a, b)| a.checked_add(b));
    let sum = match (whole, a.as_f64().zip(b.as_f64())) {
        (Some(sum), _) => json!(sum),
        (None, Some((a, b))) if (a + b).is_finite() => json!(a + b),
        (None, Some(_)) => return Err("The sum is too large for a number.".to_owned()),
        (None, None) => return Err("add needs \"a\" and \"b\", two numbers.".to_owned()),
    };
    Ok(json!({
        "content": [{"type": "text", "text": sum.to_string()}],
        "structuredContent": {"sum": sum},
    }))
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

/// Every tool of the demo only reads, so every one may be repeated.
fn tool(name: &str, title: &str, description: &str, properties: &Value) -> Value {
    json!({
        "name": name,
        "title": title,
        "description": description,
        "inputSchema": object(properties),
        "annotations": {
            "title": title,
            "readOnlyHint": true,
            "destructiveHint": false,
            "idempotentHint": true,
            "openWorldHint": false,
        },
    })
}

fn with_output(mut tool: Value, properties: &Value) -> Value {
    tool["outputSchema"] = object(properties);
    tool
}

fn object(properties: &Value) -> Value {
    let names = properties
        .as_object()
        .into_iter()
        .flat_map(|members| members.keys());
    let required: Vec<&String> = names.collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(name: &str, arguments: &Value) -> Value {
        call(&json!({"name": name, "arguments": arguments})).unwrap()
    }

    #[test]
    fn echo_gives_back_what_it_was_given() {
        let result = result("echo", &json!({"message": "héllo"}));
        assert_eq!(
            result,
            json!({"content": [{"type": "text", "text": "héllo"}]})
        );
    }

    #[test]
    fn add_keeps_integers_whole_and_adds_the_rest_as_floats() {
        let sum = |a: Value, b: Value| {
            result("add", &json!({"a": a, "b": b}))["structuredContent"]["sum"].clone()
        };
        assert_eq!(sum(json!(2), json!(3)).to_string(), "5");
        assert_eq!(
            sum(json!(9_007_199_254_740_993_i64), json!(1)).to_string(),
            "9007199254740994"
        );
        assert_eq!(sum(json!(0.5), json!(1)).to_string(), "1.5");
        assert_eq!(
            result("add", &json!({"a": 1e308, "b": 1e308}))["isError"],
            true
        );
    }

    #[test]
    fn a_tool_that_fails_or_is_called_wrongly_answers_with_an_error_a_model_can_read() {
        assert_eq!(
            result("fail", &json!({"message": "no"})),
            json!({"content": [{"type": "text", "text": "no"}], "isError": true})
        );
        for (name, arguments) in [
            ("echo", json!({})),
            ("add", json!({"a": "1", "b": 2})),
            ("sleep", json!({"ms": -1})),
        ] {
            assert_eq!(result(name, &arguments)["isError"], true, "{name}");
        }
    }

    #[test]
    fn a_call_without_a_known_tool_is_refused() {
        for params in [
            json!({"name": "lost"}),
            json!({}),
            json!({"name": "echo", "arguments": []}),
        ] {
            assert_eq!(call(&params).unwrap_err().code, -32602, "{params}");
        }
    }

    #[test]
    fn every_definition_names_its_arguments_as_required() {
        let definitions = definitions();
        let add = &definitions[1];
        assert_eq!(add["inputSchema"]["required"], json!(["a", "b"]));
        assert_eq!(add["annotations"]["readOnlyHint"], true);
        assert_eq!(add["outputSchema"]["properties"]["sum"]["type"], "number");
    }
}
