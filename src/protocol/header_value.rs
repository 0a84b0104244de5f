//! Values of the body in headers, as `Mcp-Name` and `Mcp-Param-*` bear them
//! (MCP 2026-07-28, basic/transports/streamable-http, value encoding).

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};

/// What surrounds a value that is Base64.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// `value` as it may stand in a header: as it is, or in Base64 where a header would not keep it.
#[must_use]
pub fn encoded_header(value: &str) -> Cow<'_, str> {
    let is_kept = value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && value.trim() == value
        && !value.starts_with(ENCODED.0);
    if is_kept {
        return value.into();
    }
    [ENCODED.0, &STANDARD.encode(value), ENCODED.1]
        .concat()
        .into()
}

/// The value that a header bears; none if it claims to be Base64 and is not.
#[must_use]
pub fn decoded_header(header: &str) -> Option<Cow<'_, str>> {
    let value = header.trim();
    let inner = value
        .strip_prefix(ENCODED.0)
        .and_then(|rest| rest.strip_suffix(ENCODED.1));
    let Some(inner) = inner else {
        return Some(value.into());
    };
    let bytes = STANDARD.decode(inner).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_value_is_trimmed_and_decoded() {
        assert_eq!(decoded_header(" us-west1 ").as_deref(), Some("us-west1"));
        assert_eq!(
            decoded_header("=?base64?SGVsbG8sIOS4lueVjA==?=").as_deref(),
            Some("Hello, 世界")
        );
        assert_eq!(
            decoded_header("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=").as_deref(),
            Some("=?base64?literal?=")
        );
        assert_eq!(decoded_header("=?base64?%%%?="), None);
        assert_eq!(decoded_header("=?base64?/w==?="), None);
    }

    #[test]
    fn what_a_header_would_not_keep_is_encoded() {
        for kept in ["", "a b", "tool/x-1.y", "a=?base64?b"] {
            assert_eq!(encoded_header(kept), kept);
        }
        for value in [" a", "a ", "ä", "a\nb", "=?base64?literal?=", "\u{7f}"] {
            let header = encoded_header(value);
            assert!(header.starts_with("=?base64?"), "{header}");
            assert_eq!(decoded_header(&header).as_deref(), Some(value));
        }
    }
}
