//! The body of a POST: one message, or a batch of them.

use bytes::Bytes;

use super::{
    Malformed, Message,
    malformed::Fault,
    message::check_text,
    scan::{Cursor, Stop},
};

/// What a POST body holds.
#[derive(Clone, Debug)]
pub enum Body {
    /// One message.
    One(Message),
    /// An array (JSON-RPC 2.0 section 6); each entry stands or falls alone.
    Batch(Vec<Result<Message, Malformed>>),
}

impl Body {
    /// Reads a body; a batch may hold up to `max_batch` entries.
    ///
    /// # Errors
    /// The body is not JSON, its only message is malformed, or the batch is empty or too long.
    pub fn parse(bytes: Bytes, max_batch: usize) -> Result<Self, Malformed> {
        check_text(&bytes)?;
        let mut cursor = Cursor::new(&bytes);
        cursor.skip_space();
        if cursor.take(b'[') {
            return batch(&bytes, cursor, max_batch)
                .map(Self::Batch)
                .map_err(|fault| Malformed::new(fault, None));
        }
        Message::read(bytes).map(Self::One)
    }
}

/// The entries behind the opening bracket. The whole array is checked before any entry counts.
fn batch(
    bytes: &Bytes,
    mut cursor: Cursor<'_>,
    max: usize,
) -> Result<Vec<Result<Message, Malformed>>, Fault> {
    cursor.skip_space();
    if cursor.take(b']') {
        cursor.end()?;
        return Err(Fault::EmptyBatch);
    }
    let mut entries = Vec::new();
    loop {
        let span = cursor.value(1)?;
        if entries.len() == max {
            return Err(Fault::BatchTooLong { max });
        }
        entries.push(bytes.slice(span.start()..span.end()));
        if !another(&mut cursor)? {
            break;
        }
    }
    Ok(entries.into_iter().map(Message::read).collect())
}

fn another(cursor: &mut Cursor<'_>) -> Result<bool, Stop> {
    cursor.skip_space();
    if cursor.take(b']') {
        return cursor.end().map(|()| false);
    }
    cursor.expect(b',', "a comma or the end of the array")?;
    cursor.skip_space();
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

    fn fault(text: &str) -> Fault {
        let refused = Body::parse(Bytes::copy_from_slice(text.as_bytes()), 3).unwrap_err();
        refused.fault().clone()
    }

    fn entries(text: &str) -> Vec<Result<Message, Malformed>> {
        match Body::parse(Bytes::copy_from_slice(text.as_bytes()), 3).unwrap() {
            Body::Batch(entries) => entries,
            Body::One(message) => panic!("one message: {message:?}"),
        }
    }

    #[test]
    fn one_message_is_one_message() {
        let body = Body::parse(Bytes::from(format!(" {PING}\n")), 3).unwrap();
        assert!(matches!(body, Body::One(message) if message.method() == Some("ping")));
    }

    #[test]
    fn entries_of_a_batch_stand_or_fall_alone() {
        let entries = entries(&format!(" [ {PING} ,7, {{\"id\":5,\"method\":\"x\"}}] "));
        assert_eq!(entries[0].as_ref().unwrap().bytes(), PING);
        let no_message = entries[1].as_ref().unwrap_err();
        assert_eq!(
            (no_message.id(), no_message.is_parse_error()),
            (None, false)
        );
        assert_eq!(entries[2].as_ref().unwrap_err().id(), Some(&b"5"[..]));
    }

    #[test]
    fn a_batch_is_bounded_and_never_empty() {
        assert_eq!(fault(" [ ] "), Fault::EmptyBatch);
        assert_eq!(fault("[1,2,3,4]"), Fault::BatchTooLong { max: 3 });
        assert_eq!(entries("[1,2,3]").len(), 3);
    }

    #[test]
    fn a_batch_that_is_not_json_is_refused_as_a_whole() {
        for text in ["[1,]", "[1", "[1] 2", "[1 2]", "[", "[]]"] {
            assert!(matches!(fault(text), Fault::NotJson { .. }), "{text}");
        }
    }
}
