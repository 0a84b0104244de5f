//! What can be told of a message that is too long to be kept, from its two ends.

use bytes::Bytes;

use super::Message;

/// How much of either end is looked at, in bytes.
pub(super) const END: usize = 256;

/// The ends of a message that comes in pieces.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    head: Vec<u8>,
    tail: Vec<u8>,
    /// Whether something is missing behind the head.
    has_gap: bool,
}

impl Ends {
    pub(super) fn extend(&mut self, piece: &[u8]) {
        let room = if self.has_gap {
            0
        } else {
            END - self.head.len()
        };
        let (first, rest) = piece.split_at(room.min(piece.len()));
        self.head.extend_from_slice(first);
        keep_end(&mut self.tail, rest);
    }

    /// The same behind bytes of which nothing was kept, if there were any.
    pub(super) fn extend_behind_gap(&mut self, piece: &[u8]) {
        self.has_gap |= !piece.is_empty();
        self.extend(piece);
    }

    /// The id of the message, as it was written, where one of its ends shows it.
    pub(super) fn id(&self) -> Option<Bytes> {
        id(self.head.clone(), &self.tail)
    }

    /// Whether it may answer something: one that begins with a method does not.
    pub(super) fn may_answer(&self) -> bool {
        let at = |name: &str| memchr::memmem::find(&self.head, name.as_bytes());
        let calls = [at("\"method\""), at("\"params\"")];
        let answers = [at("\"result\""), at("\"error\"")];
        let first = |found: [Option<usize>; 2]| found.into_iter().flatten().min();
        match (first(calls), first(answers)) {
            (Some(call), Some(answer)) => answer < call,
            (Some(_), None) => false,
            (None, _) => true,
        }
    }
}

/// Puts `piece` behind `tail`, of which no more than [`END`] bytes are kept.
pub(super) fn keep_end(tail: &mut Vec<u8>, piece: &[u8]) {
    tail.extend_from_slice(&piece[piece.len().saturating_sub(END)..]);
    tail.drain(..tail.len().saturating_sub(END));
}

/// The id of the message that begins and ends so.
pub(super) fn id(head: Vec<u8>, tail: &[u8]) -> Option<Bytes> {
    id_at_start(head).or_else(|| id_at_end(tail))
}

/// The id that stands in the first bytes of a message.
fn id_at_start(mut head: Vec<u8>) -> Option<Bytes> {
    // Digits at its end may be the beginning of another number.
    while head.last().is_some_and(u8::is_ascii_digit) {
        head.pop();
    }
    let malformed = Message::parse(head.into()).err()?;
    malformed.id().map(Bytes::copy_from_slice)
}

/// The number that stands as id behind everything else, where some servers write it.
fn id_at_end(tail: &[u8]) -> Option<Bytes> {
    let members = tail.trim_ascii_end().strip_suffix(b"}")?.trim_ascii_end();
    let start = members.iter().rposition(|byte| !byte.is_ascii_digit())? + 1;
    let (before, id) = members.split_at(start);
    let before = before.trim_ascii_end().strip_suffix(b":")?;
    let before = before.trim_ascii_end().strip_suffix(b"\"id\"")?;
    // Without the comma its first quote may be an escaped one, inside a longer name.
    let is_whole = before.trim_ascii_end().ends_with(b",") && !id.is_empty();
    is_whole.then(|| Bytes::copy_from_slice(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(message: &str) -> Ends {
        let mut ends = Ends::default();
        // In pieces, one of which lies across the end of the head.
        for piece in message.as_bytes().chunks(100) {
            ends.extend(piece);
        }
        ends
    }

    #[test]
    fn an_answer_is_told_from_what_is_none() {
        let long = "x".repeat(1_000);
        for (message, id, may_answer) in [
            (
                format!(r#"{{"jsonrpc":"2.0","id":7,"result":"{long}"}}"#),
                Some("7"),
                true,
            ),
            (
                format!(r#"{{"result":{{"method":"{long}"}},"jsonrpc":"2.0","id":7}}"#),
                Some("7"),
                true,
            ),
            (format!(r#"{{"error":"{long}"}}"#), None, true),
            (
                format!(r#"{{"jsonrpc":"2.0","method":"m","params":"{long}"}}"#),
                None,
                false,
            ),
            (
                format!(r#"{{"method":"m","params":"{long}","jsonrpc":"2.0","id":7}}"#),
                Some("7"),
                false,
            ),
            (
                format!(r#"{{"params":{{"result":"{long}"}},"method":"m"}}"#),
                None,
                false,
            ),
            (long, None, true),
        ] {
            let ends = ends(&message);
            assert_eq!(ends.id().as_deref(), id.map(str::as_bytes), "{message}");
            assert_eq!(ends.may_answer(), may_answer, "{message}");
        }
    }
}
