//! Writes text as a JSON string.

/// `text` as a JSON string with its quotes. Only what RFC 8259 section 7 demands is escaped.
#[must_use]
pub fn quote(text: &str) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    quoted.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend_from_slice(&[b'\\', byte]),
            0..0x20 => quoted.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'"');
    quoted
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
