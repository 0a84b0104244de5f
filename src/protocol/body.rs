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
