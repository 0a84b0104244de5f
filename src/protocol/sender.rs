//! What a request of revision 2026-07-28 says of its sender, each time anew in `params._meta`, where older revisions say it
//! once, in `initialize` (MCP 2026-07-28, basic, per-request protocol fields).

use std::borrow::Cow;

use super::{MODERN, Message};

/// The key of the revision.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The key of the client's name and version.
pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// The key of what the client can be asked for.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The key of the level from which on log lines are wanted.
pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

const KEYS: [&str; 4] = [
    PROTOCOL_VERSION,
    CLIENT_INFO,
    CLIENT_CAPABILITIES,
    LOG_LEVEL,
];

/// Whether a server hears of the sender in each request, or once when a session is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// Revisions up to 2025-11-25.
    Legacy,
    /// Revision 2026-07-28.
    Modern,
}

/// The members of `_meta` that introduce a client: `info` and `capabilities` are JSON objects.
#[must_use]
pub fn introduction(info: &str, capabilities: &str) -> String {
    format!(
        r#""{PROTOCOL_VERSION}":"{MODERN}","{CLIENT_INFO}":{info},"{CLIENT_CAPABILITIES}":{capabilities}"#
    )
}

impl Message {
    /// The same request without what it says of its sender: an older server that met it might take the request for one
    /// that it does not know.
    #[must_use]
    pub fn without_sender(&self) -> Self {
        self.without_meta_members(&KEYS)
    }

    /// The same request, introduced by these raw members of `_meta`.
    #[must_use]
    pub fn with_sender(&self, sender: &str) -> Self {
        self.with_meta_members(&KEYS, sender)
    }

    /// What a request is called in a trace: its method, and the tool or prompt that it is about
    /// (OpenTelemetry, semantic conventions for MCP, span name).
    #[must_use]
    pub fn span_name(&self) -> Cow<'_, str> {
        let method = self.method().unwrap_or_default();
        match method {
            "tools/call" | "prompts/get" => {
                let name = self.name().unwrap_or_default();
                format!("{method} {name}").into()
            }
            _ => method.into(),
        }
    }

    /// What a request is about, which `Mcp-Name` repeats: the tool, the prompt or the resource
    /// (MCP 2026-07-28, basic/transports/streamable-http, request metadata).
    #[must_use]
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        match self.method()? {
            "tools/call" | "prompts/get" => self.name(),
            "resources/read" => self.uri(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn parse(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    #[test]
    fn a_sender_is_put_before_what_else_is_there() {
        for (before, after) in [
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#,
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"s":1}}}"#,
            ),
            (
                r#"{"params": { } ,"jsonrpc":"2.0","id":1,"method":"a"}"#,
                r#"{"params": {"_meta":{"s":1} } ,"jsonrpc":"2.0","id":1,"method":"a"}"#,
            ),
            (
                r#"{"params":{"name":"x"},"jsonrpc":"2.0","id":1,"method":"a"}"#,
                r#"{"params":{"_meta":{"s":1},"name":"x"},"jsonrpc":"2.0","id":1,"method":"a"}"#,
            ),
            (
                r#"{"params":{"_meta":{"progressToken":1e0}},"jsonrpc":"2.0","id":1,"method":"a"}"#,
                r#"{"params":{"_meta":{"s":1,"progressToken":1e0}},"jsonrpc":"2.0","id":1,"method":"a"}"#,
            ),
        ] {
            assert_eq!(parse(before).with_sender(r#""s":1"#).bytes(), after);
        }
    }

    #[test]
    fn what_is_taken_away_is_what_is_put_there() {
        let plain = r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"traceparent":"00","progressToken":1}}}"#;
        let sent = parse(plain).with_sender(&introduction(r#"{"name":"c"}"#, "{}"));
        assert!(sent.meta().is_some_and(|meta| meta.len() > 150));
        assert_eq!(sent.without_sender().bytes(), plain);
        let again = sent.with_sender(r#""x":1"#);
        assert_eq!(again.bytes(), &plain.replace("{\"tra", "{\"x\":1,\"tra"));
    }

    #[test]
    fn related_keys_are_not_the_sender() {
        let call = parse(
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"io.modelcontextprotocol\/logLevel":"info","io.modelcontextprotocol/related-task":1}}}"#,
        );
        assert_eq!(
            call.without_sender().meta().unwrap(),
            r#"{"io.modelcontextprotocol/related-task":1}"#
        );
    }
}
