//! Writes one message as one event.

use bytes::Bytes;

/// `data` as an event of type `message`, with an id for resuming. Line breaks in `data` become further `data` lines.
/// An id that holds a line break or NUL could not be read back, so it is left out.
#[must_use]
pub fn encode_sse(data: &[u8], id: Option<&str>) -> Bytes {
    let mut event = Vec::with_capacity(data.len() + 48);
    event.extend_from_slice(b"event: message\n");
    if let Some(id) = id.filter(|id| !id.contains(['\r', '\n', '\0'])) {
        event.extend_from_slice(b"id: ");
        event.extend_from_slice(id.as_bytes());
        event.push(b'\n');
    }
    push_data(&mut event, data);
    event.push(b'\n');
    event.into()
}

fn push_data(event: &mut Vec<u8>, data: &[u8]) {
    let mut rest = data;
    loop {
        event.extend_from_slice(b"data: ");
        let Some(end) = memchr::memchr2(b'\n', b'\r', rest) else {
            event.extend_from_slice(rest);
            event.push(b'\n');
            return;
        };
        event.extend_from_slice(&rest[..end]);
        event.push(b'\n');
        let width = if rest[end..].starts_with(b"\r\n") {
            2
        } else {
            1
        };
        rest = &rest[end + width..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_event_whatever_its_line_breaks() {
        assert_eq!(
            encode_sse(b"{\r\n\"a\":1\r}", Some("4")),
            "event: message\nid: 4\ndata: {\ndata: \"a\":1\ndata: }\n\n"
        );
    }

    #[test]
    fn an_id_cannot_forge_a_field() {
        assert_eq!(
            encode_sse(b"", Some("1\ndata: forged")),
            "event: message\ndata: \n\n"
        );
    }
}
