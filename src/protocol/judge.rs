//! Decides what kind of message the parts make, or which rule they break.

use std::{borrow::Cow, sync::Arc};

use super::{
    Kind,
    scan::{Part, Parts, Span, text_of},
};

/// Some servers write both halves of a response, the one that does not apply as `null`; strictly neither may be there
/// beside the other (JSON-RPC 2.0 section 5).
pub(super) fn forget_other_half(text: &[u8], parts: &mut Parts) {
    let is_null = |part| parts.span(part).of(text) == b"null";
    if parts.has(Part::Result) && is_null(Part::Error) {
        parts.set(Part::Error, Span::ABSENT);
    } else if parts.has(Part::Error) && is_null(Part::Result) {
        parts.set(Part::Result, Span::ABSENT);
    }
}

type Judged = (Kind, Option<Arc<str>>);

/// Which kind of message the parts make, by JSON-RPC 2.0 sections 4 and 5 and MCP's narrower rules on ids.
pub(super) fn judge(text: &[u8], parts: &Parts) -> Result<Judged, &'static str> {
    if let Some(fault) = parts.fault() {
        return Err(fault);
    }
    let version = text_of(parts.span(Part::Version).of(text));
    if version.as_deref() != Some("2.0") {
        return Err("it needs the member \"jsonrpc\": \"2.0\"");
    }
    if parts.has(Part::Method) {
        return judge_call(text, parts);
    }
    judge_response(text, parts).map(|()| (Kind::Response, None))
}

fn judge_call(text: &[u8], parts: &Parts) -> Result<Judged, &'static str> {
    if parts.has(Part::Result) || parts.has(Part::Error) {
        return Err("it has a method and also a result or an error");
    }
    let method = text_of(parts.span(Part::Method).of(text));
    let method = method.ok_or("its method is not a string")?;
    let params = parts.span(Part::Params).of(text);
    if !matches!(params.first(), None | Some(b'{' | b'[' | b'n')) {
        return Err("its params are neither an object nor an array");
    }
    let id = parts.span(Part::Id).of(text);
    if !id.is_empty() && !is_id(id) {
        return Err("its id is neither a string nor an integer");
    }
    let kind = if id.is_empty() {
        Kind::Notification
    } else {
        Kind::Request
    };
    let unescaped = match method {
        Cow::Owned(method) => Some(Arc::from(method)),
        Cow::Borrowed(_) => None,
    };
    Ok((kind, unescaped))
}

/// An error may come without an id, or with `null`, from a peer that could not read the request's.
fn judge_response(text: &[u8], parts: &Parts) -> Result<(), &'static str> {
    let id = parts.span(Part::Id).of(text);
    match (parts.has(Part::Result), parts.has(Part::Error)) {
        (true, true) => Err("it has a result and also an error"),
        (false, false) => Err("it has neither a method nor a result nor an error"),
        (true, false) if !is_id(id) => Err("its id is neither a string nor an integer"),
        (false, true) if parts.span(Part::Error).of(text).first() != Some(&b'{') => {
            Err("its error is not an object")
        }
        (false, true) if !(id.is_empty() || id == b"null" || is_id(id)) => {
            Err("its id is neither a string nor an integer")
        }
        _ => Ok(()),
    }
}

/// A string or an integer: what MCP allows as the id of a request.
pub(super) fn is_id(raw: &[u8]) -> bool {
    match raw {
        [b'"', ..] => true,
        [b'-', digits @ ..] | digits => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
    }
}
