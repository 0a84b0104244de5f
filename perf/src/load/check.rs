//! Is this the answer to that request? Status, id, content and length are all looked at, each time.

use std::{borrow::Cow, io};

use memchr::memmem;

use super::ask::member;
use crate::http::{Message, header};

/// What every answer of a lane must be.
pub(crate) struct Check {
    content: Cow<'static, [u8]>,
    shape: Option<Shape>,
}

/// How the first good answer looked: all others have the same length, with id and content at the same places.
#[derive(Clone, Copy, Debug)]
struct Shape {
    length: usize,
    id_at: usize,
    content_at: usize,
}

impl Check {
    /// Answers must hold these bytes.
    pub(crate) fn new(content: impl Into<Cow<'static, [u8]>>) -> Self {
        Self {
            content: content.into(),
            shape: None,
        }
    }

    /// Whether an HTTP message answers request `id`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn http(&mut self, message: &Message<'_>, id: u64) -> io::Result<()> {
        if message.status() != 200 {
            let body = excerpt(&message.body);
            let status = message.status();
            return Err(io::Error::other(format!(
                "an answer has status {status}: {body}"
            )));
        }
        let streamed = header(message.head, "content-type")
            .is_some_and(|kind| kind.starts_with("text/event-stream"));
        if streamed {
            self.json(last_event(&message.body), id)
        } else {
            self.json(&message.body, id)
        }
    }

    /// Whether a JSON-RPC message answers request `id`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn json(&mut self, json: &[u8], id: u64) -> io::Result<()> {
        let id = member(id);
        let shape = match self.shape {
            Some(shape) => shape,
            None => *self.shape.insert(learn(json, &id, &self.content)?),
        };
        let holds = |what: &[u8], at: usize| json.get(at..at + what.len()) == Some(what);
        if json.len() != shape.length {
            let (length, expected) = (json.len(), shape.length);
            return Err(wrong(
                json,
                &format!("is {length} bytes long, not {expected}"),
            ));
        }
        if !holds(&id, shape.id_at) {
            return Err(wrong(json, "bears another id"));
        }
        if !holds(&self.content, shape.content_at) {
            return Err(wrong(json, "says something else"));
        }
        Ok(())
    }
}

fn learn(json: &[u8], id: &[u8], content: &[u8]) -> io::Result<Shape> {
    Ok(Shape {
        length: json.len(),
        id_at: memmem::find(json, id).ok_or_else(|| wrong(json, "bears another id"))?,
        content_at: memmem::find(json, content)
            .ok_or_else(|| wrong(json, "does not say what is expected"))?,
    })
}

/// The data of the last event of a stream.
fn last_event(stream: &[u8]) -> &[u8] {
    let start = memmem::rfind(stream, b"\ndata:").map_or(0, |at| at + 1);
    let line = stream[start..].split(|byte| *byte == b'\n').next();
    let data = line.and_then(|line| line.strip_prefix(b"data:"));
    data.unwrap_or_default().trim_ascii()
}

fn wrong(json: &[u8], how: &str) -> io::Error {
    io::Error::other(format!("an answer {how}: {}", excerpt(json)))
}

fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(300)]);
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::first, load::FIRST_ID};

    fn answer(id: u64, text: &str) -> String {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"{text}"}}"#)
    }

    #[test]
    fn another_id_content_or_length_is_wrong() {
        let mut check = Check::new(b"hello".as_slice());
        let mut judge = |json: String| check.json(json.as_bytes(), FIRST_ID).is_ok();
        assert!(!judge(answer(FIRST_ID, "other")));
        assert!(judge(answer(FIRST_ID, "hello")));
        assert!(judge(answer(FIRST_ID, "hello")));
        assert!(!judge(answer(FIRST_ID + 1, "hello")));
        assert!(!judge(answer(FIRST_ID, "hellx")));
        assert!(!judge(answer(FIRST_ID, "hello and more")));
    }

    #[test]
    fn the_answer_is_the_last_event_of_a_stream() {
        let mut check = Check::new(b"hello".as_slice());
        let (other, good) = (answer(1, "x"), answer(FIRST_ID, "hello"));
        let body = format!("data: {other}\n\nid: 1\nevent: message\ndata: {good}\n\n");
        let length = body.len();
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        check
            .http(&first(text.as_bytes()).unwrap().unwrap(), FIRST_ID)
            .unwrap();
    }

    #[test]
    fn another_status_is_wrong() {
        let mut check = Check::new(b"".as_slice());
        let message = first(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
            .unwrap()
            .unwrap();
        assert!(check.http(&message, FIRST_ID).is_err());
    }
}
