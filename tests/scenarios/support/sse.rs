//! Events read from a `text/event-stream` body as a strict client reads them.

use std::io;

use serde_json::Value;
use tokio::time::Instant;

use super::{PATIENCE, http::Streaming};

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
        Ok(self.block()?.as_deref().and_then(data_of))
    }

    /// The next event as JSON, and its id.
    pub(crate) fn identified(&mut self) -> (String, Value) {
        let block = self.block().unwrap();
        let block = block.unwrap_or_else(|| panic!("the stream has ended"));
        let id = block.lines().find_map(|line| line.strip_prefix("id: "));
        let id = id.unwrap_or_else(|| panic!("no id: {block}"));
        let data = data_of(&block).unwrap_or_default();
        (id.to_owned(), serde_json::from_str(&data).unwrap())
    }

    fn block(&mut self) -> io::Result<Option<String>> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Comments keep the connection alive, and patience ends all the same.
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            while let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                let block = String::from_utf8_lossy(&block).into_owned();
                if data_of(&block).is_some() {
                    return Ok(Some(block));
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

impl Events {
    /// What is still to come, as JSON, until the other end is gone; an answer that is no stream is one event.
    pub(crate) fn rest(mut self) -> impl Iterator<Item = Value> {
        let is_stream = |(_, value): &(String, String)| value == "text/event-stream";
        let mut whole = (!self.stream.headers.iter().any(is_stream)).then_some(());
        let is_whole = whole.is_some();
        std::iter::from_fn(move || {
            let text = if is_whole {
                whole.take()?;
                let mut body = Vec::new();
                while let Ok(Some(piece)) = self.stream.piece() {
                    body.extend(piece);
                }
                String::from_utf8_lossy(&body).into_owned()
            } else {
                self.next().ok()??
            };
            serde_json::from_str(&text).ok()
        })
    }

    /// The next event as JSON; fails where there is none.
    pub(crate) fn json(&mut self) -> Value {
        let data = self.next().unwrap();
        let data = data.unwrap_or_else(|| panic!("the stream has ended"));
        serde_json::from_str(&data).unwrap_or_else(|_| panic!("no JSON: {data}"))
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
