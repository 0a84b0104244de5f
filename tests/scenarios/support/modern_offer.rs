//! What a scripted backend of revision 2026-07-28 answers, over HTTP and on the standard streams alike.

use serde_json::{Value, json};

use super::{
    frame::{self, Asked, Frame},
    offer,
};

/// The revision.
pub(crate) const REVISION: &str = "2026-07-28";
/// A result that asks, with everything that must pass as it is.
pub(crate) const ODD_INPUT: &str = r#"{"resultType":"input_required","inputRequests":{"a b\u00e9":{"method":"elicitation/create","params":{"mode":"form","message":"M\ud83d\ude00","requestedSchema":{"type":"object","properties":{"n":{"type":"number","maximum":1e400}}},"x-more":1.50}}},"requestState":"s\/=+\u00e9","x-future":{"big":18446744073709551615},"_meta":{"vendor/x":[1]}}"#;
/// The levels of the lines that the tool `log` writes.
pub(crate) const LEVELS: [&str; 4] = ["debug", "info", "warning", "error"];

const TOOLS: [&str; 7] = ["echo", "ask", "odd", "unable", "log", "meta", "hang"];

/// What a request gets: notifications and the answer, with its HTTP status; nothing where it hangs.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) before: Vec<String>,
    pub(crate) text: String,
}

impl Answered {
    fn with(text: String) -> Self {
        Self {
            status: 200,
            before: Vec::new(),
            text,
        }
    }

    fn refused(status: u16, text: String) -> Self {
        Self {
            status,
            ..Self::with(text)
        }
    }
}

/// The answer to one request, but for `subscriptions/listen`.
pub(crate) fn answer(frame: &Frame) -> Option<Answered> {
    let id = frame.id();
    if frame.param("_meta")["io.modelcontextprotocol/protocolVersion"] != REVISION {
        let error = json!({"code": -32022, "message": "Unsupported protocol version", "data": {"supported": [REVISION], "requested": ""}});
        let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
        return Some(Answered::refused(400, text));
    }
    let result = match frame.method() {
        "server/discover" => json!({
            "supportedVersions": [REVISION],
            "capabilities": {"tools": {"listChanged": true}, "resources": {"subscribe": true, "listChanged": true}, "prompts": {}, "logging": {}},
            "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "scripted-modern", "version": "1"}},
        }),
        "tools/list" => json!({"tools": TOOLS.map(offer::tool)}),
        "resources/list" => {
            json!({"resources": [{"uri": "modern:///one", "name": "one"}]})
        }
        "resources/templates/list" => {
            json!({"resourceTemplates": [{"uriTemplate": "modern:///{name}", "name": "any"}]})
        }
        "completion/complete" => json!({"completion": {"values": ["one"]}}),
        "resources/read" => json!({"contents": [{"uri": "modern:///one", "text": "the memo"}]}),
        "tasks/get" => json!({"taskId": "t-1", "status": "working"}),
        "prompts/list" => json!({"prompts": []}),
        "tools/call" => return call(frame, &frame.asked()?),
        _ => {
            let text = frame::error(id, -32601, "Method not found");
            return Some(Answered::refused(404, text));
        }
    };
    Some(Answered::with(frame::result(id, &complete(result))))
}

fn complete(mut result: Value) -> String {
    result["resultType"] = json!("complete");
    result["ttlMs"] = json!(1000);
    result["cacheScope"] = json!("public");
    result.to_string()
}

fn call(frame: &Frame, asked: &Asked) -> Option<Answered> {
    let id = frame.id();
    let said = |text: &str| {
        let content = json!({"content": [{"type": "text", "text": text}]});
        frame::result(id, &complete(content))
    };
    Some(match asked.name.as_str() {
        "echo" => Answered::with(said(asked.argument("message").as_str().unwrap_or_default())),
        "ask" => Answered::with(ask(frame, asked, said)),
        "odd" if frame.raw_param("inputResponses").is_none() => {
            Answered::with(frame::result(id, ODD_INPUT))
        }
        "odd" => Answered::with(said("thanks")),
        "unable" => {
            let error = json!({"code": -32021, "message": "Elicitation is needed", "data": {"requiredCapabilities": {"elicitation": {}}}});
            let text = format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#);
            Answered::refused(400, text)
        }
        "log" => Answered {
            before: log_lines(),
            ..Answered::with(said("logged"))
        },
        "meta" => Answered::with(said(&frame.param("_meta").to_string())),
        "hang" => return None,
        other => {
            let text = frame::error(id, -32602, &format!("Unknown tool: {other}"));
            Answered::with(text)
        }
    })
}

/// Asks in as many rounds as the call says, then says what it was answered last.
fn ask(frame: &Frame, asked: &Asked, said: impl Fn(&str) -> String) -> String {
    let state = frame.param("requestState");
    let round = state
        .as_str()
        .and_then(|state| state.strip_prefix("round-"));
    let round: u64 = round.and_then(|round| round.parse().ok()).unwrap_or(0);
    if round >= asked.number("rounds", 1) {
        return said(&frame.param("inputResponses").to_string());
    }
    let mut requests = asked.argument("requests");
    if requests.is_null() {
        let (method, params) = (asked.argument("method"), asked.argument("params"));
        requests = json!({"key": {"method": method, "params": params}});
    }
    let result = json!({
        "resultType": "input_required",
        "inputRequests": requests,
        "requestState": format!("round-{}", round + 1),
    });
    frame::result(frame.id(), &result.to_string())
}

fn log_lines() -> Vec<String> {
    LEVELS.map(log_line).into()
}

/// A log line of this level.
pub(crate) fn log_line(level: &str) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, "data": level}})
        .to_string()
}
