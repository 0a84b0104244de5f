//! Each way the gateway or the server says no: its sentence, its JSON-RPC code, its HTTP status.

use std::time::Duration;

use serde::Serialize;

use super::recovery::{self, Recovery};
use crate::{
    gateway::inbound::Reply,
    protocol::{Malformed, Message, Revision, codes},
};

/// An unknown backend or session: ours, from the range that JSON-RPC leaves to servers.
const NOT_FOUND: i64 = -32_001;
/// Something the caller may not do: ours, from the same range.
const FORBIDDEN: i64 = -32_003;

/// A request that is refused before any backend heard of it.
/// Its `Display` says what happened, what it means, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The `Origin` header names a site that is not ours.
    ForeignOrigin(Box<str>),
    /// The `Host` header names a host that is not ours.
    ForeignHost(Box<str>),
    /// No credential, or a wrong one.
    Unauthorized,
    /// `Accept` takes neither JSON nor an event stream.
    NotAcceptable(Box<str>),
    /// The body is declared as this and not as JSON.
    UnsupportedMediaType(Box<str>),
    /// The body is longer than this many bytes.
    BodyTooLarge(usize),
    /// The body did not arrive within this time.
    BodyTimeout(Duration),
    /// The caller's own limit; the next request may come after this time.
    CallerRateLimited(Duration),
    /// The path does not take this method; it takes these.
    MethodNotAllowed(&'static str),
    /// There is nothing at this path.
    NoSuchPath(Box<str>),
    /// The gateway is stopping.
    Draining,
    /// The body is no JSON-RPC message.
    Malformed(Malformed),
    /// The request is JSON-RPC but not one that can be served, for this reason.
    InvalidRequest(Box<str>),
    /// The `MCP-Protocol-Version` header names a revision that we do not speak.
    UnknownRevision(Box<str>),
    /// The request speaks for itself, but names a revision in which a session is opened first.
    NotStateless(Box<str>),
    /// `params._meta` lacks something, for this reason.
    IncompleteMeta(Box<str>),
    /// A header is missing, or does not say what the body says, for this reason.
    HeaderMismatch(Box<str>),
    /// The request needs an `Mcp-Session-Id` header.
    MissingSession,
    /// The session does not exist, has ended, or belongs to somebody else.
    UnknownSession,
    /// The event stream that a message was posted for is not open, or is somebody else's.
    UnknownStream,
    /// A client comes back to the stream of a call after the event of this id, and nothing of it is kept.
    NotKept(Box<str>),
    /// Messages posted for an event stream wait, and none of them was taken for a while.
    StreamFull,
    /// This many sessions are open, which is the limit.
    TooManySessions(usize),
    /// This many watch the live page, which is the limit.
    TooManyViewers(usize),
    /// A page of another site, or a request that does not say that it comes from the live page, for this reason.
    NotFromThePage(&'static str),
    /// No such method; perhaps another one was meant.
    UnknownMethod {
        /// The method that was asked for.
        method: Box<str>,
        /// The nearest one we know.
        suggest: Option<Box<str>>,
    },
    /// Tasks are not to be had here, for this reason.
    NoTasks(Box<str>),
    /// The parameters do not fit, for this reason.
    InvalidParams(Box<str>),
    /// No such backend; perhaps another one was meant.
    UnknownBackend {
        /// The name that was asked for.
        name: Box<str>,
        /// The nearest one the caller may use.
        suggest: Option<Box<str>>,
    },
    /// No such backend, asked for by its own endpoint; perhaps another one was meant.
    NoSuchEndpoint {
        /// The name in the path.
        name: Box<str>,
        /// The nearest one the caller may use.
        suggest: Option<Box<str>>,
    },
    /// No such tool; perhaps another one was meant.
    UnknownTool {
        /// The name that was asked for.
        name: Box<str>,
        /// The nearest one the caller may use.
        suggest: Option<Box<str>>,
    },
    /// No backend offers this prompt.
    UnknownPrompt(Box<str>),
    /// No backend offers this resource.
    UnknownResource(Box<str>),
    /// The caller may not use this backend.
    BackendForbidden(Box<str>),
    /// The caller may not use this tool.
    ToolForbidden(Box<str>),
    /// Only operators may do this.
    OperatorOnly(&'static str),
    /// The configuration was read again and cannot be taken over, for these reasons.
    ConfigRefused(Box<str>),
}

impl Refusal {
    /// The answer to the request with this id, which is raw JSON text; without one the id is null.
    #[must_use]
    pub fn reply(&self, id: Option<&[u8]>) -> Reply {
        let message = self.to_string();
        let data = self.data(&message);
        let body = Message::error_response(
            id.unwrap_or(b"null"),
            self.code(),
            &message,
            data.as_deref(),
        );
        Reply {
            status: self.status(),
            body: body.bytes().clone(),
            session: None,
            retry_after: self.retry_after(),
            timing: None,
        }
    }

    /// The JSON-RPC error code.
    #[must_use]
    pub fn code(&self) -> i64 {
        match self {
            Self::Malformed(malformed) => malformed_code(malformed),
            Self::UnknownMethod { .. } | Self::NoTasks(_) => codes::METHOD_NOT_FOUND,
            Self::InvalidParams(_)
            | Self::IncompleteMeta(_)
            | Self::UnknownTool { .. }
            | Self::UnknownPrompt(_) => codes::INVALID_PARAMS,
            Self::HeaderMismatch(_) => codes::HEADER_MISMATCH,
            Self::UnknownRevision(_) | Self::NotStateless(_) => codes::UNSUPPORTED_REVISION,
            Self::UnknownBackend { .. }
            | Self::NoSuchEndpoint { .. }
            | Self::UnknownSession
            | Self::UnknownStream => NOT_FOUND,
            Self::UnknownResource(_) => codes::RESOURCE_NOT_FOUND,
            Self::ForeignOrigin(_)
            | Self::ForeignHost(_)
            | Self::Unauthorized
            | Self::BackendForbidden(_)
            | Self::ToolForbidden(_)
            | Self::NotFromThePage(_)
            | Self::OperatorOnly(_) => FORBIDDEN,
            Self::CallerRateLimited(_)
            | Self::Draining
            | Self::StreamFull
            | Self::TooManySessions(_)
            | Self::TooManyViewers(_)
            | Self::ConfigRefused(_) => codes::SERVER_ERROR,
            _ => codes::INVALID_REQUEST,
        }
    }

    /// The HTTP status. What concerns only the JSON-RPC request inside is 200, as a client expects of an answer;
    /// 404 is kept for endpoints and sessions, because a client opens a new session when it sees one.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_)
            | Self::InvalidRequest(_)
            | Self::UnknownRevision(_)
            | Self::NotStateless(_)
            | Self::IncompleteMeta(_)
            | Self::HeaderMismatch(_)
            | Self::MissingSession
            | Self::NotKept(_) => 400,
            Self::Unauthorized => 401,
            Self::ForeignOrigin(_)
            | Self::ForeignHost(_)
            | Self::BackendForbidden(_)
            | Self::ToolForbidden(_)
            | Self::NotFromThePage(_)
            | Self::OperatorOnly(_) => 403,
            Self::UnknownSession
            | Self::UnknownStream
            | Self::NoSuchPath(_)
            | Self::NoSuchEndpoint { .. } => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::NotAcceptable(_) => 406,
            Self::BodyTimeout(_) => 408,
            Self::BodyTooLarge(_) => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::CallerRateLimited(_) => 429,
            Self::Draining
            | Self::StreamFull
            | Self::TooManySessions(_)
            | Self::TooManyViewers(_) => 503,
            _ => 200,
        }
    }

    /// When to come back, where time is the cure.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CallerRateLimited(after) => Some(*after),
            Self::Draining | Self::StreamFull => Some(Duration::from_secs(1)),
            Self::TooManySessions(_) | Self::TooManyViewers(_) => Some(Duration::from_secs(10)),
            _ => None,
        }
    }

    /// What a model is told to do about it, where a model can do something.
    pub(super) fn recovery(&self) -> Option<Recovery> {
        let (error_code, suggest) = match self {
            Self::InvalidParams(_) => (
                recovery::INVALID_PARAM,
                "Correct the arguments and call again.".to_owned(),
            ),
            Self::UnknownBackend { suggest, .. } | Self::NoSuchEndpoint { suggest, .. } => (
                recovery::TOOL_NOT_FOUND,
                instead(suggest.as_deref(), "gateway_list_servers"),
            ),
            Self::UnknownTool { suggest, .. } => (
                recovery::TOOL_NOT_FOUND,
                instead(suggest.as_deref(), "gateway_search_tools"),
            ),
            Self::ToolForbidden(_) | Self::BackendForbidden(_) | Self::OperatorOnly(_) => (
                recovery::INVALID_PARAM,
                "Use another tool; calling again will not help.".to_owned(),
            ),
            Self::ConfigRefused(_) => (
                recovery::INVALID_PARAM,
                "Mend the configuration and reload again; `mcp-gateway validate` checks it without running it.".to_owned(),
            ),
            Self::CallerRateLimited(_) => (
                recovery::RATE_LIMITED,
                "Wait, then send it again: nothing was sent, so it is safe to repeat.".to_owned(),
            ),
            _ => return None,
        };
        Some(Recovery {
            error_code,
            message: self.to_string(),
            retry_after_ms: self.retry_after().map(recovery::millis),
            suggest,
        })
    }

    fn data(&self, message: &str) -> Option<Vec<u8>> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        enum Data<'a> {
            #[serde(rename = "recovery")]
            Recovery(Recovery),
            Uri(&'a str),
            #[serde(untagged)]
            Revisions {
                supported: Vec<&'static str>,
                requested: &'a str,
            },
        }
        let data = match self {
            Self::UnknownRevision(requested) | Self::NotStateless(requested) => Data::Revisions {
                supported: Revision::supported().collect(),
                requested,
            },
            Self::UnknownResource(uri) => Data::Uri(uri),
            _ => Data::Recovery(Recovery {
                message: message.to_owned(),
                ..self.recovery()?
            }),
        };
        serde_json::to_vec(&data).ok()
    }
}

fn instead(suggest: Option<&str>, list: &str) -> String {
    match suggest {
        Some(name) => format!("Call \"{name}\", or see {list}."),
        None => format!("Call {list} to see what there is."),
    }
}

const fn malformed_code(malformed: &Malformed) -> i64 {
    if malformed.is_parse_error() {
        codes::PARSE_ERROR
    } else {
        codes::INVALID_REQUEST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(reply: &Reply) -> serde_json::Value {
        serde_json::from_slice(&reply.body).unwrap()
    }

    #[test]
    fn an_unknown_tool_answers_with_what_was_meant() {
        let refusal = Refusal::UnknownTool {
            name: "ehco".into(),
            suggest: Some("echo".into()),
        };
        let reply = refusal.reply(Some(b"7"));
        let body = body(&reply);
        assert_eq!(reply.status, 200);
        assert_eq!(body["id"], 7);
        assert_eq!(body["error"]["code"], -32602);
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("Did you mean \"echo\"?"), "{message}");
        let recovery = &body["error"]["data"]["recovery"];
        assert_eq!(recovery["error_code"], "TOOL_NOT_FOUND");
    }

    #[test]
    fn a_caller_over_its_limit_is_told_when_to_come_back() {
        let reply = Refusal::CallerRateLimited(Duration::from_nanos(19_964_244_008)).reply(None);
        let error = &body(&reply)["error"];
        assert_eq!(error["data"]["recovery"]["error_code"], "RATE_LIMITED");
        assert_eq!(error["data"]["recovery"]["retry_after_ms"], 19_965);
        let message = error["message"].as_str().unwrap();
        assert!(message.ends_with("Come back in 20.0s."), "{message}");
    }

    #[test]
    fn a_refusal_without_a_request_id_has_a_null_id() {
        let reply = Refusal::BodyTooLarge(10).reply(None);
        assert_eq!(reply.status, 413);
        assert_eq!(body(&reply)["id"], serde_json::Value::Null);
        assert_eq!(body(&reply)["error"]["code"], -32600);
    }

    #[test]
    fn text_of_a_peer_is_escaped() {
        let refusal = Refusal::UnknownMethod {
            method: "a\"\n\u{1}".into(),
            suggest: None,
        };
        assert_eq!(
            body(&refusal.reply(Some(b"\"x\"")))["error"]["code"],
            -32601
        );
    }

    #[test]
    fn a_name_that_is_too_long_is_not_sent_back_whole() {
        let refusal = Refusal::UnknownMethod {
            method: "ü".repeat(5000).into(),
            suggest: None,
        };
        assert!(refusal.to_string().len() < 1000);
    }

    #[test]
    fn an_unknown_revision_lists_the_known_ones() {
        let reply = Refusal::UnknownRevision("1999-01-01".into()).reply(None);
        assert_eq!(reply.status, 400);
        let supported = &body(&reply)["error"]["data"]["supported"];
        assert_eq!(supported[0], "2026-07-28");
        assert!(supported.as_array().unwrap().contains(&"2025-11-25".into()));
        let error = &body(&reply)["error"];
        assert_eq!(
            (&error["code"], &error["data"]["requested"]),
            (&(-32022).into(), &"1999-01-01".into())
        );
    }

    #[test]
    fn a_full_house_says_when_to_come_back() {
        let reply = Refusal::TooManySessions(3).reply(None);
        assert_eq!(reply.status, 503);
        assert!(reply.retry_after.is_some());
    }
}
