//! The parts of a message side by side, as the scan and as the second opinion give them.

use super::known::{Known, string};
use crate::protocol::Message;

/// Names and values; texts are decoded, everything else is as it was written.
pub(crate) type Parts = Vec<(&'static str, Option<String>)>;

/// As the scan gives them.
pub(crate) fn of_message(message: &Message) -> Parts {
    let raw = |bytes: Option<&[u8]>| bytes.map(|raw| String::from_utf8_lossy(raw).into_owned());
    let [result_type, ttl, scope] = message.result_says();
    vec![
        ("id", raw(message.id())),
        ("method", message.method().map(str::to_owned)),
        ("params", raw(message.params().as_deref())),
        ("result", raw(message.result().as_deref())),
        ("error", raw(message.error().as_deref())),
        ("name", message.name().map(Into::into)),
        ("uri", message.uri().map(Into::into)),
        ("cursor", message.cursor().map(Into::into)),
        ("arguments", raw(message.arguments().as_deref())),
        ("meta", raw(message.meta().as_deref())),
        ("token", raw(message.progress_token())),
        ("cancelled", raw(message.cancelled_id())),
        ("code", message.error_code().map(|code| code.to_string())),
        ("message", message.error_message().map(Into::into)),
        ("failed", flag(message.is_tool_error())),
        ("asks", flag(message.wants_input())),
        ("type", flag(result_type)),
        ("ttl", flag(ttl)),
        ("scope", flag(scope)),
    ]
}

/// As the second opinion gives them.
pub(crate) fn of_known(known: &Known<'_>) -> Parts {
    let raw = |value: Option<&str>| value.map(str::to_owned);
    let text = |value: Option<&str>| value.and_then(string);
    let (outer, params, result) = (&known.outer, &known.params, &known.result);
    let error = known.error_text().map(|_| &known.error);
    let in_error = |name| error.and_then(|error| error.get(name));
    let token = known.kind().and_then(|kind| known.token(kind));
    let code = in_error("code").and_then(|code| code.parse::<i64>().ok());
    let is_params = |params: &&str| *params != "null";
    vec![
        ("id", raw(outer.get("id"))),
        ("method", text(outer.get("method"))),
        ("params", raw(outer.get("params").filter(is_params))),
        ("result", raw(known.result_text())),
        ("error", raw(known.error_text())),
        ("name", text(params.get("name"))),
        ("uri", text(params.get("uri"))),
        ("cursor", text(params.get("cursor"))),
        ("arguments", raw(params.get("arguments"))),
        ("meta", raw(params.get("_meta"))),
        ("token", raw(token.filter(is_token))),
        ("cancelled", raw(params.get("requestId").filter(is_token))),
        ("code", code.map(|code| code.to_string())),
        ("message", text(in_error("message"))),
        ("failed", flag(result.get("isError") == Some("true"))),
        (
            "asks",
            flag(result.get("resultType") == Some(r#""input_required""#)),
        ),
        ("type", flag(result.get("resultType").is_some())),
        ("ttl", flag(result.get("ttlMs").is_some())),
        ("scope", flag(result.get("cacheScope").is_some())),
    ]
}

fn flag(is_set: bool) -> Option<String> {
    is_set.then(String::new)
}

fn is_token(json: &&str) -> bool {
    json.starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}
