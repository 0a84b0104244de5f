//! What is answered when a backend gave no good answer, in words for the model that reads it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Recovery, Refusal,
    recovery::{INVALID_PARAM, RATE_LIMITED, TOOL_NOT_FOUND, millis},
};
use crate::{
    backend::CallError,
    protocol::{Message, codes},
};

const BACKEND_UNREACHABLE: &str = "BACKEND_UNREACHABLE";
const CIRCUIT_OPEN: &str = "CIRCUIT_OPEN";
const BACKEND_TIMEOUT: &str = "BACKEND_TIMEOUT";
const BACKEND_ERROR: &str = "BACKEND_ERROR";
const OVERLOADED: &str = "OVERLOADED";

impl Recovery {
    /// For a call that got no answer from this backend.
    pub(in crate::gateway) fn of_call(backend: &str, error: &CallError) -> Self {
        Self {
            error_code: error_code(error),
            message: sentence(format!("Backend {backend:?}: {error}")),
            retry_after_ms: error.retry_after().map(millis),
            suggest: advice(backend, error),
        }
    }

    /// For a call that found as many before it as may be.
    pub(in crate::gateway) fn overloaded(happened: &str, suggest: &str) -> Self {
        Self {
            error_code: OVERLOADED,
            message: format!("{happened} {suggest}"),
            retry_after_ms: None,
            suggest: suggest.to_owned(),
        }
    }

    /// For a call that a backend answered with a JSON-RPC error, given as raw JSON.
    pub(in crate::gateway) fn of_answer(backend: &str, error: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Error {
            code: i64,
            message: String,
        }
        let (code, text) = serde_json::from_slice::<Error>(error).map_or_else(
            |_| {
                (
                    codes::INTERNAL_ERROR,
                    String::from_utf8_lossy(error).into_owned(),
                )
            },
            |error| (error.code, error.message),
        );
        let (error_code, suggest) = match code {
            codes::INVALID_PARAMS => (
                INVALID_PARAM,
                "Check the tool's inputSchema, correct the arguments and call again.",
            ),
            codes::METHOD_NOT_FOUND => (
                TOOL_NOT_FOUND,
                "Call gateway_list_tools for this server to see what it offers.",
            ),
            _ => (
                BACKEND_ERROR,
                "The backend is up but this call failed; change the arguments or use another tool.",
            ),
        };
        Self {
            error_code,
            message: sentence(format!(
                "Backend {backend:?} answered with error {code}: {text}"
            )),
            retry_after_ms: None,
            suggest: suggest.to_owned(),
        }
    }
}

impl From<&Refusal> for Recovery {
    fn from(refusal: &Refusal) -> Self {
        refusal.recovery().unwrap_or_else(|| Self {
            error_code: INVALID_PARAM,
            message: refusal.to_string(),
            retry_after_ms: refusal.retry_after().map(millis),
            suggest: "Correct the request and send it again.".to_owned(),
        })
    }
}

/// Closes what somebody else said, so that the advice after it is a sentence of its own.
fn sentence(mut text: String) -> String {
    if !text.ends_with(['.', '!', '?']) {
        text.push('.');
    }
    text
}

const fn error_code(error: &CallError) -> &'static str {
    match error {
        CallError::CircuitOpen { .. } => CIRCUIT_OPEN,
        CallError::Overloaded { .. } => OVERLOADED,
        CallError::RateLimited { .. } | CallError::Throttled { .. } => RATE_LIMITED,
        CallError::Unreachable { .. }
        | CallError::Lost { .. }
        | CallError::SessionLost
        | CallError::Stopped => BACKEND_UNREACHABLE,
        CallError::TimedOut { .. } => BACKEND_TIMEOUT,
        CallError::Denied { .. }
        | CallError::Http { .. }
        | CallError::Protocol { .. }
        | CallError::Tool { .. }
        | CallError::Unanswered { .. } => BACKEND_ERROR,
    }
}

fn advice(backend: &str, error: &CallError) -> String {
    let wait = error.retry_after().map_or_else(
        || "Wait a little".to_owned(),
        |after| format!("Wait {} ms", millis(after)),
    );
    match error {
        CallError::CircuitOpen { by_operator: true, .. } => format!(
            "Waiting does not help: use tools of other servers, and tell the user that an operator keeps {backend:?} closed to calls (circuit_breaker.mode in the configuration)."
        ),
        CallError::CircuitOpen { tool: Some(tool), .. } => format!(
            "{wait} before calling {tool:?} again, and use other tools meanwhile: those of {backend:?} can be called. Calling sooner is refused at once."
        ),
        CallError::CircuitOpen { .. } => format!(
            "{wait} before calling {backend:?} again, and use tools of other servers meanwhile. Calling sooner is refused at once."
        ),
        CallError::Overloaded { .. } | CallError::RateLimited { .. } | CallError::Throttled { .. } => {
            format!("{wait}, then call again, with fewer calls at the same time.")
        }
        CallError::Unreachable { permanent: true, .. } => format!(
            "Do not try again: the configuration of {backend:?} must be mended first. Tell the user, and use another server."
        ),
        CallError::Unreachable { .. } | CallError::SessionLost | CallError::Tool { sent: false, .. } => {
            format!("{wait}, then call again; nothing was done yet, so it is safe to repeat.")
        }
        CallError::Lost { .. } | CallError::Tool { .. } => "The call may or may not have taken effect: check its effect before repeating it.".to_owned(),
        CallError::TimedOut { .. } => "The call may or may not have taken effect: check before repeating it, and ask for less at once.".to_owned(),
        CallError::Denied { .. } => format!(
            "Do not try again: the credential for {backend:?} must be mended in the configuration. Tell the user."
        ),
        CallError::Stopped => format!(
            "Use another server; an operator can start {backend:?} again with gateway_revive_server."
        ),
        CallError::Unanswered { .. } => format!(
            "Tell the user what {backend:?} asked for, or call without what needs it."
        ),
        CallError::Http { .. } | CallError::Protocol { .. } => format!(
            "Try once more later; if it stays, tell the user that {backend:?} is broken, and use another server."
        ),
    }
}

/// The answer to a tool call that failed: a result with `isError`, so that the model sees it.
pub(in crate::gateway) fn failed_tool(recovery: &Recovery) -> Box<RawValue> {
    #[derive(Serialize)]
    struct Text<'a> {
        r#type: &'static str,
        text: &'a str,
    }
    #[derive(Serialize)]
    struct Carried<'a> {
        recovery: &'a Recovery,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Failed<'a> {
        content: [Text<'a>; 1],
        structured_content: Carried<'a>,
        is_error: bool,
        #[serde(rename = "_meta")]
        meta: Carried<'a>,
    }
    let told = recovery.message.ends_with(&recovery.suggest);
    let advice = if told { "" } else { &recovery.suggest };
    let text = format!("{} {advice}", recovery.message);
    serde_json::value::to_raw_value(&Failed {
        content: [Text {
            r#type: "text",
            text: text.trim_end(),
        }],
        structured_content: Carried { recovery },
        is_error: true,
        meta: Carried { recovery },
    })
    .unwrap_or_else(|_| RawValue::TRUE.to_owned())
}

/// The answer to any other request that failed: a JSON-RPC error that carries the recovery.
pub(in crate::gateway) fn failed_call(id: &[u8], recovery: &Recovery) -> Bytes {
    #[derive(Serialize)]
    struct Data<'a> {
        recovery: &'a Recovery,
    }
    let data = serde_json::to_vec(&Data { recovery }).ok();
    Message::error_response(id, codes::SERVER_ERROR, &recovery.message, data.as_deref())
        .bytes()
        .clone()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn open() -> CallError {
        CallError::CircuitOpen {
            tool: None,
            by_operator: false,
            retry_after: Duration::from_millis(1500),
            open_for: Duration::from_secs(3),
            cause: Some("the child ended".into()),
        }
    }

    #[test]
    fn an_open_breaker_tells_the_model_when_to_come_back() {
        let recovery = Recovery::of_call("files", &open());
        let result: serde_json::Value = serde_json::from_str(failed_tool(&recovery).get()).unwrap();
        assert_eq!(result["isError"], true);
        for place in [&result["_meta"], &result["structuredContent"]] {
            assert_eq!(place["recovery"]["error_code"], "CIRCUIT_OPEN");
            assert_eq!(place["recovery"]["retry_after_ms"], 1500);
        }
        let text = result["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("Wait 1500 ms"), "{text}");
        assert!(text.contains("the child ended"), "{text}");
    }

    #[test]
    fn what_is_no_tool_call_gets_an_error_with_the_same_recovery() {
        let recovery = Recovery::of_call("files", &open());
        let error: serde_json::Value =
            serde_json::from_slice(&failed_call(b"\"a\"", &recovery)).unwrap();
        assert_eq!(error["id"], "a");
        assert_eq!(error["error"]["code"], -32000);
        assert_eq!(
            error["error"]["data"]["recovery"]["error_code"],
            "CIRCUIT_OPEN"
        );
    }

    #[test]
    fn what_happened_and_what_to_do_are_two_sentences() {
        let error = CallError::Unreachable {
            reason: "connection refused".into(),
            permanent: false,
            retry_after: None,
        };
        let result = failed_tool(&Recovery::of_call("files", &error));
        assert!(
            result.get().contains("connection refused. Wait"),
            "{result}"
        );
    }

    #[test]
    fn a_backend_that_says_invalid_params_blames_the_arguments() {
        let recovery = Recovery::of_answer("files", br#"{"code":-32602,"message":"path missing"}"#);
        assert_eq!(recovery.error_code, INVALID_PARAM);
        assert!(recovery.message.contains("path missing"));
    }
}
