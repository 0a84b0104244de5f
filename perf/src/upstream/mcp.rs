//! What a message is answered with, whichever way it came.

use std::{borrow::Cow, fmt::Write};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The newest revision it speaks; an older one is taken as asked for.
const NEWEST: &str = "2025-11-25";
const OLDER: [&str; 3] = ["2024-11-05", "2025-03-26", "2025-06-18"];

/// The tools of a server, and how they answer.
pub(crate) struct Mcp {
    tools: usize,
    list: String,
}

/// What is to be done about a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was a notification or an answer.
    Nothing,
    /// The answer to `initialize`, which opens a session.
    Opening(String),
    /// The answer to a call, which may be spoilt by a fault.
    Called { id: String, text: String },
    /// The answer to any other request, and to what is no message.
    Other(String),
}

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Opening<'a> {
    #[serde(borrow, default)]
    protocol_version: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: Arguments<'a>,
}

#[derive(Deserialize)]
struct Arguments<'a> {
    #[serde(borrow)]
    message: &'a RawValue,
}

impl Mcp {
    pub(crate) fn new(tools: usize) -> Self {
        Self {
            tools,
            list: tools_list(tools),
        }
    }

    /// Answers one message.
    pub(crate) fn answer(&self, message: &[u8]) -> Answer {
        let Ok(request) = serde_json::from_slice::<Request<'_>>(message) else {
            return Answer::Other(error("null", -32700, "this is no JSON-RPC message"));
        };
        let (Some(id), Some(method)) = (request.id, request.method) else {
            return Answer::Nothing;
        };
        let id = id.get();
        let params = request.params.map_or("{}", RawValue::get);
        match &*method {
            "tools/call" => Answer::Called {
                id: id.to_owned(),
                text: self.call(id, params),
            },
            "initialize" => Answer::Opening(initialize(id, params)),
            "tools/list" => Answer::Other(result(id, &[&self.list])),
            "ping" => Answer::Other(result(id, &["{}"])),
            _ => Answer::Other(error(id, -32601, "there is no such method")),
        }
    }

    /// Gives the message back as it was written, escapes and all.
    fn call(&self, id: &str, params: &str) -> String {
        let Ok(call) = serde_json::from_str::<Call<'_>>(params) else {
            return error(
                id,
                -32602,
                "a call has a name, and a message among its arguments",
            );
        };
        if !self.has(&call.name) {
            return error(id, -32602, "there is no such tool");
        }
        let message = call.arguments.message.get();
        let parts = [r#"{"content":[{"type":"text","text":"#, message, "}]}"];
        result(id, &parts)
    }

    fn has(&self, name: &str) -> bool {
        let number = |name: &str| name.strip_prefix("echo_")?.parse::<usize>().ok();
        name == "echo" || number(name).is_some_and(|number| (2..=self.tools).contains(&number))
    }
}

/// The result of `tools/list` with that many tools: `echo`, `echo_2` and so on.
pub(crate) fn tools_list(tools: usize) -> String {
    let mut list = r#"{"tools":["#.to_owned();
    for number in 1..=tools {
        let comma = if number == 1 { "" } else { "," };
        let suffix = if number == 1 {
            String::new()
        } else {
            format!("_{number}")
        };
        // Writing to a string cannot fail.
        let _ = write!(
            list,
            r#"{comma}{{"name":"echo{suffix}","description":"Gives a message back. One of {tools}.","inputSchema":{{"type":"object","properties":{{"message":{{"type":"string","description":"what to give back"}}}},"required":["message"]}}}}"#
        );
    }
    list.push_str("]}");
    list
}

fn initialize(id: &str, params: &str) -> String {
    let asked = serde_json::from_str::<Opening<'_>>(params).unwrap_or_default();
    let revision = OLDER
        .into_iter()
        .find(|older| *older == asked.protocol_version);
    let revision = revision.unwrap_or(NEWEST);
    let opened = format!(
        r#"{{"protocolVersion":"{revision}","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"mock","version":"1"}}}}"#
    );
    result(id, &[&opened])
}

/// One allocation of the right size, however long the parts are.
fn result(id: &str, parts: &[&str]) -> String {
    let head = [r#"{"jsonrpc":"2.0","id":"#, id, r#","result":"#];
    [&head, parts, &["}"]].concat().concat()
}

fn error(id: &str, code: i32, message: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(message: &str) -> String {
        match Mcp::new(3).answer(message.as_bytes()) {
            Answer::Other(text) | Answer::Called { text, .. } | Answer::Opening(text) => text,
            Answer::Nothing => "nothing".to_owned(),
        }
    }

    fn call(id: &str, name: &str, message: &str) -> String {
        other(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{"message":{message}}}}}}}"#
        ))
    }

    #[test]
    fn a_call_gives_its_message_back_as_written_under_the_id_as_sent() {
        for (id, message) in [
            ("1", r#""hi""#),
            (r#""g-7""#, r#""\u00e9 \n""#),
            ("1.50", "{}"),
        ] {
            let text = format!(r#"{{"content":[{{"type":"text","text":{message}}}]}}"#);
            assert_eq!(call(id, "echo", message), result(id, &[&text]));
            assert_eq!(call(id, "echo_3", message), result(id, &[&text]));
        }
        assert!(call("1", "echo_4", r#""hi""#).contains("-32602"));
    }

    #[test]
    fn it_lists_as_many_tools_as_it_has() {
        let list = other(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
        assert_eq!(list.matches(r#""name":"echo"#).count(), 3);
        assert!(serde_json::from_str::<serde_json::Value>(&list).is_ok());
    }

    #[test]
    fn it_opens_at_a_known_revision_and_takes_notifications_in_silence() {
        let open = |revision: &str| {
            other(&format!(
                r#"{{"id":1,"method":"initialize","params":{{"protocolVersion":"{revision}"}}}}"#
            ))
        };
        assert!(open("2025-06-18").contains("2025-06-18"));
        assert!(open("1999-01-01").contains(NEWEST));
        assert_eq!(
            other(r#"{"method":"notifications/initialized"}"#),
            "nothing"
        );
        assert!(other(r#"{"id":1,"method":"x"}"#).contains("-32601"));
        assert!(other("{").contains("-32700"));
    }
}
