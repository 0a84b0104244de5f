//! How the scripted HTTP backend takes a call: well, or in one of the ways in which servers and proxies fail.

use std::io;

use super::{
    frame::{self, Frame},
    offer,
    scripted_events::{self, STREAMED},
    wire::Wire,
};

/// The header of a JSON answer.
pub(super) const JSON: &str = "content-type: application/json\r\n";
const EVENTS: &str = "content-type: text/event-stream\r\ncache-control: no-cache\r\n";

/// How the backend takes `tools/call`; everything else is answered well while it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Answers.
    Well,
    /// Reads the call and answers only when the mood has changed, or never.
    Hanging,
    /// Answers this HTTP status with these header lines.
    Status(u16, &'static str),
    /// Answers this HTTP status with a page for people, longer than anybody reads.
    Page(u16),
    /// Answers 400 with a JSON-RPC error that carries much data.
    LongError,
    /// Answers with the id of another request.
    WrongId,
    /// Announces more than it sends.
    CutShort,
    /// Sends a body that does not end.
    Endless,
    /// Reads the call and closes the connection.
    HangingUp,
    /// Answers 200 with a body that is no JSON.
    Garbled,
}

impl Mood {
    /// Answers one call in this mood.
    pub(super) fn answer(self, wire: &mut Wire, frame: &Frame) -> io::Result<()> {
        match self {
            Self::Well | Self::Hanging => served(wire, frame),
            Self::Status(status, headers) => wire.answer(status, headers, "scripted trouble"),
            Self::Page(status) => {
                let page = format!("<html>the proxy is down{}", " ".repeat(100_000));
                wire.answer(status, "content-type: text/html\r\n", &page)
            }
            Self::LongError => {
                let error = frame::error(
                    frame.id(),
                    -32602,
                    &format!("path is missing {}", "x".repeat(10_000)),
                );
                wire.answer(400, JSON, &error)
            }
            Self::WrongId => wire.answer(200, JSON, &frame::said("987654321", "for somebody else")),
            Self::CutShort => {
                wire.begin(JSON)?;
                wire.chunk(b"{")?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Self::Endless => {
                wire.begin(JSON)?;
                wire.chunk(br#"{"jsonrpc":"2.0","result":""#)?;
                loop {
                    wire.chunk(&[b'x'; 1 << 16])?;
                }
            }
            Self::HangingUp => Err(io::ErrorKind::ConnectionReset.into()),
            Self::Garbled => wire.answer(200, JSON, "{\"jsonrpc\": oops"),
        }
    }
}

/// The answer of a tool that is well.
fn served(wire: &mut Wire, frame: &Frame) -> io::Result<()> {
    let id = frame.id();
    let Some(asked) = frame.asked() else {
        return wire.answer(200, JSON, &frame::error(id, -32602, "no params"));
    };
    let answer = match asked.name.as_str() {
        "echo" | "safe_echo" => {
            frame::said(id, asked.argument("message").as_str().unwrap_or_default())
        }
        "verbatim" => frame::result(id, offer::VERBATIM),
        "mirror" => frame::result(
            id,
            &format!(
                r#"{{"content":[],"structuredContent":{}}}"#,
                asked.arguments
            ),
        ),
        name if STREAMED.contains(&name) => {
            wire.begin(EVENTS)?;
            for chunk in scripted_events::chunks(&asked, id) {
                wire.chunk(&chunk)?;
            }
            return wire.end();
        }
        other => frame::error(id, -32602, &format!("Unknown tool: {other}")),
    };
    wire.answer(200, JSON, &answer)
}
