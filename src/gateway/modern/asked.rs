//! What a modern request says of itself, and whether it says all that it must.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{
    gateway::{
        inbound::Inbound,
        raw_object::{RawObject, Text},
        replies::Refusal,
        sessions::LogLevel,
    },
    protocol::{MODERN, Message, Revision},
};

/// Everything that is the protocol's own in `_meta` begins so (MCP 2026-07-28, basic, `_meta`).
const OURS: &str = "io.modelcontextprotocol/";
const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// What surrounds a header value that is Base64 (MCP 2026-07-28, basic/transports/streamable-http, value encoding).
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// A modern request that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// From which level on log lines of this request are wanted; none at all without one.
    pub(super) log_level: Option<LogLevel>,
    /// `_meta` without what only this revision has: what a backend of an older one gets.
    pub(super) rest: Vec<u8>,
}

/// Whether a message is to be read by the rules of this revision: its `_meta` names a revision, or its header names this
/// one. `initialize` opens a session unless its `_meta` says otherwise (MCP 2026-07-28, basic/versioning).
pub(in crate::gateway) fn is_modern(inbound: &Inbound, message: &Message) -> bool {
    let by_header = || match message.method() {
        Some("initialize") => false,
        Some("server/discover") => true,
        _ => inbound.revision.as_deref() == Some(MODERN),
    };
    by_header() || message.meta().is_some_and(|meta| names_revision(&meta))
}

fn names_revision(meta: &Bytes) -> bool {
    memchr::memmem::find(meta, PROTOCOL_VERSION.as_bytes()).is_some()
        && RawObject::parse(meta).is_some_and(|meta| meta.member(PROTOCOL_VERSION).is_some())
}

impl Asked {
    /// Reads and checks in the order of PROTOCOL: what is missing in the body, what the headers say of it, its revision.
    pub(super) fn of(inbound: &Inbound, message: &Message) -> Result<Self, Refusal> {
        let meta = message.meta().unwrap_or_default();
        let meta = RawObject::parse(&meta).unwrap_or_default();
        let Some(Text(revision)) = meta.read(PROTOCOL_VERSION) else {
            return Err(missing(PROTOCOL_VERSION, &format!("\"{MODERN}\"")));
        };
        let capabilities = meta.member(CLIENT_CAPABILITIES).map(RawValue::get);
        if !capabilities.is_some_and(|object| object.starts_with('{')) {
            return Err(missing(CLIENT_CAPABILITIES, "{}"));
        }
        check_headers(inbound, message, &revision)?;
        if revision != MODERN {
            return Err(unsupported(&revision));
        }
        let log_level = meta.member(LOG_LEVEL).map(read_level).transpose()?;
        Ok(Self {
            log_level,
            rest: without_ours(meta),
        })
    }
}

fn missing(key: &str, example: &str) -> Refusal {
    Refusal::IncompleteMeta(
        format!("`params._meta` has no \"{key}\" that could be read, so nothing was done. Revision {MODERN} asks for it in each request, such as {example}.")
            .into(),
    )
}

fn unsupported(revision: &str) -> Refusal {
    if Revision::parse(revision).is_some() {
        return Refusal::NotStateless(revision.into());
    }
    Refusal::UnknownRevision(revision.into())
}

fn read_level(level: &RawValue) -> Result<LogLevel, Refusal> {
    serde_json::from_str::<Text<'_>>(level.get())
        .ok()
        .and_then(|Text(level)| LogLevel::parse(&level))
        .ok_or_else(|| {
            let names = LogLevel::NAMES.map(|(name, _)| name).join(", ");
            Refusal::IncompleteMeta(
                format!("\"{LOG_LEVEL}\" in `params._meta` names no log level, so nothing was done. Use one of {names}.")
                    .into(),
            )
        })
}

fn without_ours(mut meta: RawObject<'_>) -> Vec<u8> {
    meta.0.retain(|(key, _)| !key.starts_with(OURS));
    serde_json::to_vec(&meta).unwrap_or_default()
}

fn check_headers(inbound: &Inbound, message: &Message, revision: &str) -> Result<(), Refusal> {
    let Some(mirrored) = &inbound.mirrored else {
        return Ok(());
    };
    let check = |header, given: Option<&str>, value: &str| {
        match given.map(decoded) {
        Some(given) if given.as_deref() == Some(value) => Ok(()),
        Some(given) => Err(mismatch(header, given.as_deref().unwrap_or("no text"), value)),
        None => Err(Refusal::HeaderMismatch(
            format!("The {header} header is missing, so nothing was done. Send {value:?}, as the body says.").into(),
        )),
    }
    };
    check(
        "MCP-Protocol-Version",
        inbound.revision.as_deref(),
        revision,
    )?;
    check(
        "Mcp-Method",
        mirrored.method.as_deref(),
        message.method().unwrap_or_default(),
    )?;
    match named(message) {
        Some(name) => check("Mcp-Name", mirrored.name.as_deref(), &name),
        None => Ok(()),
    }
}

/// What `Mcp-Name` repeats: the tool, the prompt or the resource.
fn named(message: &Message) -> Option<Cow<'_, str>> {
    match message.method()? {
        "tools/call" | "prompts/get" => message.name(),
        "resources/read" => message.uri(),
        _ => None,
    }
}

fn mismatch(header: &str, given: &str, value: &str) -> Refusal {
    Refusal::HeaderMismatch(
        format!("The {header} header says {given:?} and the body {value:?}, so nothing was done. Send what the body says.")
            .into(),
    )
}

/// The value of a header, none if it claims to be Base64 and is not.
fn decoded(value: &str) -> Option<Cow<'_, str>> {
    let value = value.trim();
    let inner = value
        .strip_prefix(ENCODED.0)
        .and_then(|rest| rest.strip_suffix(ENCODED.1));
    let Some(inner) = inner else {
        return Some(value.into());
    };
    let bytes = STANDARD.decode(inner).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_is_trimmed_and_decoded() {
        assert_eq!(decoded(" us-west1 ").as_deref(), Some("us-west1"));
        assert_eq!(
            decoded("=?base64?SGVsbG8sIOS4lueVjA==?=").as_deref(),
            Some("Hello, 世界")
        );
        assert_eq!(
            decoded("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=").as_deref(),
            Some("=?base64?literal?=")
        );
        assert_eq!(decoded("=?base64?%%%?="), None);
        assert_eq!(decoded("=?base64?/w==?="), None);
    }

    #[test]
    fn what_only_this_revision_has_is_left_out_for_older_backends() {
        let meta = RawObject::parse(
            br#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","traceparent":"00","progressToken": 1e0,"io.modelcontextprotocol/logLevel":"info"}"#,
        );
        assert_eq!(
            without_ours(meta.unwrap()),
            br#"{"traceparent":"00","progressToken":1e0}"#
        );
    }
}
