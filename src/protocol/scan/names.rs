//! Which member a quoted name means, to us and to readers that are laxer than we are.

use std::borrow::Cow;

use super::part::Part;

/// Finds what a quoted name means. The flag is false where only a reader that ignores letter case would take it so.
pub(super) fn meaning(quoted: &[u8], members: &[(&str, Part)]) -> Option<(Part, bool)> {
    let inner = quoted.get(1..quoted.len() - 1)?;
    // Nearly every name is one that we know exactly or not at all.
    let exact = members.iter().find(|(known, _)| known.as_bytes() == inner);
    if let Some((_, part)) = exact {
        return Some((*part, true));
    }
    if !inner.is_ascii() || memchr::memchr(b'\\', inner).is_some() {
        let name = text_of(quoted)?;
        return matching(fold(&name).as_bytes(), name.as_bytes(), members);
    }
    matching(inner, inner, members)
}

fn matching(folded: &[u8], name: &[u8], members: &[(&str, Part)]) -> Option<(Part, bool)> {
    members
        .iter()
        .find(|(known, _)| folded.eq_ignore_ascii_case(known.as_bytes()))
        .map(|(known, part)| (*part, name == known.as_bytes()))
}

/// Letters outside ASCII that Unicode's simple case folding maps onto ASCII letters.
fn fold(name: &str) -> String {
    name.replace('\u{17F}', "s").replace('\u{212A}', "k")
}

/// The text of a quoted string that passed the scan; none if it escapes half a surrogate pair.
pub(in crate::protocol) fn text_of(quoted: &[u8]) -> Option<Cow<'_, str>> {
    let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inner).is_none() {
        return std::str::from_utf8(inner).ok().map(Cow::Borrowed);
    }
    serde_json::from_slice(quoted).ok().map(Cow::Owned)
}
