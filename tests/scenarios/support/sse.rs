//! Events read from a `text/event-stream` body as a strict client reads them.

use std::io;

use super::http::Streaming;

/// The events of one open stream.
pub(crate) struct Events {
    /// The stream's head and body.
    pub(crate) stream: Streaming,
    unread: Vec<u8>,
}

impl Events {
    /// Reads events from an open answer.
    pub(crate) fn of(stream: Streaming) -> Self {
        Self {
            stream,
            unread: Vec::new(),
        }
    }

    /// The data of the next event that has any; nothing when the stream ends.
    pub(crate) fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            while let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                if let Some(data) = data_of(&String::from_utf8_lossy(&block)) {
                    return Ok(Some(data));
                }
            }
            match self.stream.piece()? {
                None => return Ok(None),
                Some(piece) => self
                    .unread
                    .extend(piece.into_iter().filter(|&b| b != b'\r')),
            }
        }
    }
}

/// The data of every event in a finished body.
pub(crate) fn events_in(body: &str) -> Vec<String> {
    body.replace('\r', "")
        .split("\n\n")
        .filter_map(data_of)
        .collect()
}

fn data_of(block: &str) -> Option<String> {
    let lines: Vec<&str> = block
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let data = lines.join("\n");
    (!data.is_empty()).then_some(data)
}
