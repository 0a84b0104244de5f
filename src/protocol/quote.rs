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

/// Adds `text` as it stands inside a JSON string. Most texts need no escape, which is found out eight bytes at a time.
pub fn escape(text: &str, into: &mut Vec<u8>) {
    let (words, rest) = text.as_bytes().as_chunks();
    let needs_none = !words.iter().any(|word| needs_some(*word))
        && !rest
            .iter()
            .any(|byte| matches!(byte, 0..0x20 | b'"' | b'\\'));
    if needs_none {
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

/// Whether a byte is below 0x20, a quotation mark or a backslash: in a word that is less by one in each byte, the highest bit of
/// a byte is set where it was not before and the byte was zero (Warren, Hacker's Delight, 6-1).
const fn needs_some(word: [u8; 8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHEST: u64 = ONES << 7;
    const fn zeros(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }
    let word = u64::from_ne_bytes(word);
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    let marks = zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c));
    (controls | marks) & HIGHEST != 0
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

    #[test]
    fn what_needs_an_escape_is_found_at_each_place() {
        for place in 0..40 {
            for letter in (0..=0x7f_u8).map(char::from) {
                let mut text = "x".repeat(40);
                text.replace_range(place..=place, &letter.to_string());
                let back: String = serde_json::from_slice(&quote(&text)).unwrap();
                assert_eq!(back, text);
            }
        }
    }
}
