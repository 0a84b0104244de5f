//! One POST to a backend, and its DELETE at the end, as they are written.

use std::io::Write;

use http::HeaderValue;

use super::{endpoint::Endpoint, session::Session};
use crate::{
    backend::CallError,
    protocol::PIECES,
    telemetry::{Carried, RequestId},
};

/// A body up to this length, in bytes, is copied behind its head: one write takes both.
const COPIED: usize = 16 << 10;
/// What a head needs beyond its prepared lines, in bytes.
const HEAD: usize = 256;

/// A request as it is written.
pub(super) struct Outgoing<'a> {
    /// Its head, and its body if that is short.
    text: Vec<u8>,
    body: [&'a [u8]; PIECES],
}

/// Why a request got no response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// The backend surely has not read it.
    Unsent(Box<str>),
    /// It may have.
    Lost(Box<str>),
}

/// What the head of a POST says beyond what every head says.
#[derive(Clone, Copy, Default)]
pub(super) struct Says<'a> {
    pub(super) session: Option<&'a Session>,
    pub(super) request_id: Option<RequestId>,
    pub(super) carried: Option<&'a Carried>,
    /// Parts of the body that the head repeats, as whole lines.
    pub(super) mirrored: &'a str,
}

/// A POST of `body`.
pub(super) fn post<'a>(
    endpoint: &Endpoint,
    says: Says<'_>,
    body: [&'a [u8]; PIECES],
) -> Outgoing<'a> {
    let length = body.iter().map(|piece| piece.len()).sum();
    let mut text = head("POST", endpoint, says.session, length);
    text.extend_from_slice(says.mirrored.as_bytes());
    if let Some(id) = says.request_id {
        text.extend_from_slice(b"x-request-id: ");
        text.extend_from_slice(id.encode(&mut [0; RequestId::LENGTH]).as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    for (name, value) in says.carried.into_iter().flat_map(Carried::headers) {
        for part in [name, ": ", value, "\r\n"] {
            text.extend_from_slice(part.as_bytes());
        }
    }
    text.extend_from_slice(b"\r\n");
    if length > COPIED {
        return Outgoing { text, body };
    }
    for piece in body {
        text.extend_from_slice(piece);
    }
    Outgoing {
        text,
        body: [b""; PIECES],
    }
}

/// The GET that opens a stream, behind the event with this id.
pub(super) fn get(
    endpoint: &Endpoint,
    session: Option<&Session>,
    last_event: Option<&str>,
) -> Outgoing<'static> {
    let mut text = head("GET", endpoint, session, 0);
    // An id with bytes that no header can hold opens the stream as it is now.
    if let Some(id) = last_event.filter(|id| HeaderValue::from_str(id).is_ok()) {
        for part in ["last-event-id: ", id, "\r\n"] {
            text.extend_from_slice(part.as_bytes());
        }
    }
    text.extend_from_slice(b"\r\n");
    Outgoing {
        text,
        body: [b""; PIECES],
    }
}

/// The DELETE that ends `session`.
pub(super) fn delete(endpoint: &Endpoint, session: &Session) -> Outgoing<'static> {
    let mut text = head("DELETE", endpoint, Some(session), 0);
    text.extend_from_slice(b"\r\n");
    Outgoing {
        text,
        body: [b""; PIECES],
    }
}

/// Everything but the empty line. All text in it was checked when it was prepared.
fn head(method: &str, endpoint: &Endpoint, session: Option<&Session>, length: usize) -> Vec<u8> {
    let prepared = session.map_or(&b""[..], |session| &session.lines);
    let room = length.min(COPIED) + endpoint.lines.len() + prepared.len() + HEAD;
    let mut text = Vec::with_capacity(room + endpoint.path.as_str().len());
    for part in [method, " ", endpoint.path.as_str(), " HTTP/1.1\r\n"] {
        text.extend_from_slice(part.as_bytes());
    }
    text.extend_from_slice(&endpoint.lines);
    text.extend_from_slice(prepared);
    // A vector takes everything.
    let _ = write!(text, "content-length: {length}\r\n");
    text
}

impl Outgoing<'_> {
    /// Whether all of it is the first piece.
    pub(super) fn is_short(&self) -> bool {
        self.body.iter().all(|piece| piece.is_empty())
    }

    /// What is written, in order; some pieces may be empty.
    pub(super) fn pieces(&self) -> [&[u8]; PIECES + 1] {
        let mut pieces: [&[u8]; PIECES + 1] = [b""; PIECES + 1];
        pieces[0] = &self.text;
        pieces[1..].copy_from_slice(&self.body);
        pieces
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Unsent(reason) => Self::unreachable(reason),
            SendError::Lost(reason) => Self::lost(reason),
        }
    }
}
