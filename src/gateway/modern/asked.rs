//! What a modern request says of itself, and whether it says all that it must.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::RawValue;

use crate::{
    backend::Client,
    gateway::{
        catalogue::{Entry, first_wrong},
        inbound::Inbound,
        replies::{Quoted, Refusal},
        request::Request,
        sessions::LogLevel,
    },
    protocol::{
        CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, MODERN, Message, PROTOCOL_VERSION, RawObject,
        Revision, Text, decoded_header,
    },
};

/// A modern request that is complete.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// From which level on log lines of this request are wanted; none at all without one.
    pub(super) log_level: Option<LogLevel>,
    /// What it says of its client.
    pub(super) client: Client,
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
    // Part of it, because the slash may be written with an escape.
    memchr::memmem::find(meta, b"protocolVersion").is_some()
        && RawObject::parse(meta).is_some_and(|meta| meta.member(PROTOCOL_VERSION).is_some())
}

impl Asked {
    /// Reads and checks: whether body and header name a revision that is not spoken, which may ask for other things than ours
    /// does; then whether the body says all that it must, then what the headers say of it.
    pub(super) fn of(inbound: &Inbound, message: &Message) -> Result<Self, Refusal> {
        let meta = message.meta().unwrap_or_default();
        let meta = RawObject::parse(&meta).unwrap_or_default();
        let Some(Text(revision)) = meta.read(PROTOCOL_VERSION) else {
            return Err(missing(PROTOCOL_VERSION, &format!("\"{MODERN}\"")));
        };
        let is_said_twice = || inbound.revision.as_deref().map(str::trim) == Some(&*revision);
        if revision != MODERN && (inbound.mirrored.is_none() || is_said_twice()) {
            return Err(unsupported(&revision));
        }
        let capabilities = meta.member(CLIENT_CAPABILITIES).map(RawValue::get);
        let Some(capabilities) = capabilities.filter(|object| object.starts_with('{')) else {
            return Err(missing(CLIENT_CAPABILITIES, "{}"));
        };
        check_headers(inbound, message, &revision)?;
        let log_level = meta.member(LOG_LEVEL).map(read_level).transpose()?;
        Ok(Self {
            log_level,
            client: Client::new(object(meta.member(CLIENT_INFO)), capabilities),
        })
    }
}

fn object(member: Option<&RawValue>) -> &str {
    let text = member.map(RawValue::get);
    text.filter(|text| text.starts_with('{')).unwrap_or("{}")
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
            let names = LogLevel::names();
            Refusal::IncompleteMeta(
                format!("\"{LOG_LEVEL}\" in `params._meta` names no log level, so nothing was done. Use one of {names}.")
                    .into(),
            )
        })
}

fn check_headers(inbound: &Inbound, message: &Message, revision: &str) -> Result<(), Refusal> {
    let Some(mirrored) = &inbound.mirrored else {
        return Ok(());
    };
    let method = message.method().unwrap_or_default();
    let revision_header = inbound.revision.as_deref().map(as_it_is);
    check("MCP-Protocol-Version", revision_header, revision)?;
    check(
        "Mcp-Method",
        mirrored.method.as_deref().map(as_it_is),
        method,
    )?;
    match message.subject() {
        Some(name) => check(
            "Mcp-Name",
            mirrored.name.as_deref().map(decoded_header),
            &name,
        ),
        None => Ok(()),
    }
}

/// Compares what a header says, if it is there and can be read, with what the body says.
fn check(header: &str, given: Option<Option<Cow<'_, str>>>, value: &str) -> Result<(), Refusal> {
    let value = Quoted(value);
    let wrong = match given {
        Some(Some(given)) if given == value.0 => return Ok(()),
        Some(Some(given)) => format!(
            "The {header} header says {} and the body {value}, so nothing was done. Send what the body says.",
            Quoted(&given)
        ),
        Some(None) => format!(
            "The {header} header is no Base64 of a text, so nothing was done. Send {value}, as the body says."
        ),
        None => format!(
            "The {header} header is missing, so nothing was done. Send {value}, as the body says."
        ),
    };
    Err(Refusal::HeaderMismatch(wrong.into()))
}

/// Compares the headers that repeat arguments of a tool with the arguments.
pub(super) fn check_params(tool: &Entry, request: &Request) -> Result<(), Refusal> {
    let arguments = request.message.arguments().unwrap_or_default();
    let given = &request.param_headers;
    match first_wrong(&tool.header_params, &arguments, given) {
        Some(wrong) => check(wrong.header, wrong.said, &wrong.value),
        None => Ok(()),
    }
}

fn as_it_is(value: &str) -> Option<Cow<'_, str>> {
    Some(value.trim().into())
}
