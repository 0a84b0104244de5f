//! The sentences of a refusal: what happened, what it means, what to do.

use std::fmt;

use super::Refusal;
use crate::protocol::MODERN;

/// Names of others are shown up to this many characters.
const SHOWN: usize = 100;

/// A name that somebody else chose: in quotes, escaped, and not longer than a sentence can bear.
pub(in crate::gateway) struct Quoted<'a>(pub(in crate::gateway) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SHOWN) {
            None => write!(f, "{:?}", self.0),
            Some((end, _)) => write!(f, "{:?} and so on", &self.0[..end]),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignOrigin(_)
            | Self::ForeignHost(_)
            | Self::Unauthorized
            | Self::BackendForbidden(_)
            | Self::ToolForbidden(_)
            | Self::NotFromThePage(_)
            | Self::OperatorOnly(_) => self.say_forbidden(f),
            Self::NotAcceptable(_)
            | Self::UnsupportedMediaType(_)
            | Self::BodyTooLarge(_)
            | Self::BodyTimeout(_)
            | Self::CallerRateLimited(_)
            | Self::MethodNotAllowed(_)
            | Self::NoSuchPath(_)
            | Self::Draining => self.say_http(f),
            Self::UnknownMethod { .. }
            | Self::UnknownBackend { .. }
            | Self::NoSuchEndpoint { .. }
            | Self::UnknownTool { .. }
            | Self::UnknownPrompt(_)
            | Self::UnknownResource(_) => self.say_unknown(f),
            _ => self.say_message(f),
        }
    }
}

impl Refusal {
    fn say_forbidden(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ForeignOrigin(origin) => write!(
                f,
                "The Origin {origin} may not use this gateway, so nothing was done. Call it from the same host, or set server.public_url to the address under which it is reached.", origin = Quoted(origin)
            ),
            Self::ForeignHost(host) => write!(
                f,
                "The Host {host} is not this gateway's, so nothing was done. Call it by the address it listens on, or set server.public_url to the address under which it is reached.", host = Quoted(host)
            ),
            Self::BackendForbidden(name) => write!(
                f,
                "This key may not use the backend {name}, so nothing was sent. Use another backend, or add it to the key's `backends` in the configuration.", name = Quoted(name)
            ),
            Self::ToolForbidden(name) => write!(
                f,
                "This key may not use the tool {name}, so nothing was sent. Use another tool, or change the key's `allowed_tools` and `denied_tools` in the configuration.", name = Quoted(name)
            ),
            Self::OperatorOnly(what) => write!(
                f,
                "{what} is for operators and this key is none, so nothing was done. Use a key with `admin: true`."
            ),
            Self::NotFromThePage(reason) => write!(
                f,
                "This was not asked for by this gateway's own page: {reason}. So nothing was done. Use the page at /ui, or from a program send `X-Requested-By: mcp-gateway`."
            ),
            _ => f.write_str(
                "No valid credential came with the request, so nothing was done. Send `Authorization: Bearer <key>` with a key from the configuration.",
            ),
        }
    }

    fn say_http(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAcceptable(given) => write!(
                f,
                "The Accept header {given} takes neither answer we can give, so nothing was done. Send `Accept: application/json, text/event-stream`.", given = Quoted(given)
            ),
            Self::UnsupportedMediaType(given) => write!(
                f,
                "The body came as {given}, so it was not read. Send JSON with `Content-Type: application/json`.", given = Quoted(given)
            ),
            Self::BodyTooLarge(limit) => write!(
                f,
                "The body is longer than {limit} bytes and was not read. Send less, or raise server.max_body_size."
            ),
            Self::BodyTimeout(after) => write!(
                f,
                "The body did not arrive within {after:?}, so the request was given up before any of it was used. Send it again."
            ),
            Self::CallerRateLimited(after) => write!(
                f,
                "This key has used up its rate limit, so nothing was sent; backends are not the cause. Come back in {after:.1?}."
            ),
            Self::MethodNotAllowed(allowed) => write!(
                f,
                "This path does not take that HTTP method, so nothing was done. Use one of: {allowed}."
            ),
            Self::NoSuchPath(path) => write!(
                f,
                "There is nothing at {path}, so nothing was done. The MCP endpoints are /mcp and /mcp/<backend>, and /sse and /mcp/<backend>/sse for clients of the first revision; the pages are /ui, /health, /livez, /readyz, /health/backends and /metrics.", path = Quoted(path)
            ),
            _ => f.write_str(
                "The gateway is stopping and takes no new requests, so nothing was sent. Try again in a moment.",
            ),
        }
    }

    fn say_unknown(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownMethod { method, suggest } => {
                write!(
                    f,
                    "There is no method {method}, so nothing was sent. ",
                    method = Quoted(method)
                )?;
                say_suggestion(
                    f,
                    suggest.as_deref(),
                    "Tools are called with tools/call, by a name from tools/list.",
                )
            }
            Self::UnknownBackend { name, suggest } | Self::NoSuchEndpoint { name, suggest } => {
                write!(
                    f,
                    "There is no backend {name}, so nothing was sent. ",
                    name = Quoted(name)
                )?;
                say_suggestion(
                    f,
                    suggest.as_deref(),
                    "Call gateway_list_servers to see what there is.",
                )
            }
            Self::UnknownTool { name, suggest } => {
                write!(
                    f,
                    "There is no tool {name}, so nothing was sent. ",
                    name = Quoted(name)
                )?;
                say_suggestion(
                    f,
                    suggest.as_deref(),
                    "Call gateway_search_tools or tools/list to see what there is.",
                )
            }
            Self::UnknownPrompt(name) => write!(
                f,
                "No backend offers the prompt {name}, so nothing was sent. Call prompts/list; prompts are named backend/prompt.",
                name = Quoted(name)
            ),
            Self::UnknownResource(uri) => write!(
                f,
                "No backend offers the resource {uri}, so nothing was sent. Call resources/list to see what there is.",
                uri = Quoted(uri)
            ),
            _ => Ok(()),
        }
    }

    fn say_message(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(malformed) => write!(f, "{malformed}"),
            Self::InvalidRequest(reason)
            | Self::InvalidParams(reason)
            | Self::NoTasks(reason)
            | Self::IncompleteMeta(reason)
            | Self::HeaderMismatch(reason) => f.write_str(reason),
            Self::NotStateless(given) => write!(
                f,
                "Revision {given} opens a session, and this request has none, so nothing was done. Send `initialize` first, or speak {MODERN}.", given = Quoted(given)
            ),
            Self::UnknownRevision(given) => write!(
                f,
                "The MCP-Protocol-Version {given} is not spoken here, so nothing was done. Send the revision that `initialize` answered, or one of those in `data`.", given = Quoted(given)
            ),
            Self::MissingSession => f.write_str(
                "The Mcp-Session-Id header is missing, so nothing was done. Send `initialize` first, and then the id from its answer.",
            ),
            Self::UnknownStream => f.write_str(
                "No event stream with this sessionId is open for this key here, so the message was not taken. Open one by GET on /sse or /mcp/<backend>/sse, and post to the address that its first event names.",
            ),
            Self::NotKept(id) => write!(
                f,
                "The stream of the call with event {id:?} is not kept any more, so what came after it is lost. Call again if nothing else came of it, or listen without Last-Event-ID for what is new."
            ),
            Self::StreamFull => f.write_str(
                "Earlier messages of this client still wait, so this one was not taken: the event stream is not read, or `initialize` is still under way. Read the stream, then send it again.",
            ),
            Self::UnknownSession => f.write_str(
                "There is no such session: it has ended, or was never opened here, so nothing was done. Send `initialize` to open a new one.",
            ),
            Self::ConfigRefused(reasons) => write!(
                f,
                "The configuration was not taken over, and what runs stays as it was:\n{reasons}"
            ),
            Self::TooManySessions(max) => write!(
                f,
                "{max} sessions are open, which is the limit, so no new one was opened. End one with DELETE, or wait for an idle one to expire."
            ),
            Self::TooManyViewers(max) => write!(
                f,
                "{max} watch the live page, which is the limit, so it is not shown once more. Close one of them, and try again in a moment."
            ),
            _ => Ok(()),
        }
    }
}

fn say_suggestion(f: &mut fmt::Formatter<'_>, name: Option<&str>, otherwise: &str) -> fmt::Result {
    match name {
        Some(name) => write!(f, "Did you mean {name}? {otherwise}", name = Quoted(name)),
        None => f.write_str(otherwise),
    }
}
