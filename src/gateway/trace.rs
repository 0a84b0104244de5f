//! Puts the request's name into a result that otherwise stays as the backend wrote it.

use bytes::Bytes;

use crate::protocol::{RawObject, leading, offset};

/// The member of `_meta` that names the request: the same id as in logs and in the response header.
const TRACE_ID: &str = "trace_id";

/// The result with `_meta.trace_id` in it, every other byte as it was.
/// What is no object, or has a trace id of its own, stays as it is.
pub(super) fn traced(result: &Bytes, name: &str) -> Bytes {
    splice(result, name).unwrap_or_else(|| result.clone())
}

fn splice(result: &Bytes, name: &str) -> Option<Bytes> {
    let text = std::str::from_utf8(result).ok()?;
    let object = RawObject::parse(result)?;
    let member = format!("\"{TRACE_ID}\":\"{name}\"");
    let Some(meta) = object.member("_meta") else {
        let meta = ["\"_meta\":{", &member, "}"].concat();
        return Some(begun(text, text.find('{')?, &meta));
    };
    let inner = RawObject::parse(meta.get().as_bytes())?;
    if inner.member(TRACE_ID).is_some() {
        return None;
    }
    Some(begun(text, offset(text, meta.get()), &member))
}

/// The text with `member` as the first of the object that opens at `brace`.
fn begun(text: &str, brace: usize, member: &str) -> Bytes {
    let (before, behind) = text.split_at(brace + 1);
    let member = leading(behind.as_bytes(), member);
    [before, &member, behind].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> String {
        let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        let traced = traced(&Bytes::copy_from_slice(text.as_bytes()), id);
        String::from_utf8(traced.to_vec())
            .unwrap()
            .replace("67e55044-10b1-426f-9247-bb680e5fe0c8", "ID")
    }

    #[test]
    fn the_trace_id_is_added_and_nothing_else_changes() {
        assert_eq!(
            with(r#" {"n":1e400, "c":[]}"#),
            r#" {"_meta":{"trace_id":"ID"},"n":1e400, "c":[]}"#
        );
        assert_eq!(with("{}"), r#"{"_meta":{"trace_id":"ID"}}"#);
        assert_eq!(
            with(r#"{"a":{"_meta":{}},"_meta": {"x":0.10} }"#),
            r#"{"a":{"_meta":{}},"_meta": {"trace_id":"ID","x":0.10} }"#
        );
        assert_eq!(with(r#"{"_meta":{}}"#), r#"{"_meta":{"trace_id":"ID"}}"#);
    }

    #[test]
    fn what_cannot_carry_it_stays_as_it_is() {
        for text in ["[1]", r#"{"_meta":7}"#, r#"{"_meta":{"trace_id":"mine"}}"#] {
            assert_eq!(with(text), text);
        }
    }
}
