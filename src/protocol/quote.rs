//! Writes text as a JSON string.

/// `text` as a JSON string with its quotes. Only what RFC 8259 section 7 demands is escaped.
#[must_use]
pub fn quote(text: &str) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    escape(text, &mut quoted);
    quoted.push(b'"');
    quoted
}

/// Adds `text` as it stands inside a JSON string. Most texts need no escape, which is found out many bytes at a time.
pub fn escape(text: &str, into: &mut Vec<u8>) {
    let needs_one = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
    if !text.bytes().fold(false, |any, byte| any | needs_one(byte)) {
        into.extend_from_slice(text.as_bytes());
        return;
    }
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => into.extend_from_slice(&[b'\\', byte]),
            0..0x20 => into.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => into.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quoted_text_reads_back_as_itself(text in any::<String>()) {
            let back: String = serde_json::from_slice(&quote(&text)).unwrap();
            prop_assert_eq!(back, text);
        }
    }
}
