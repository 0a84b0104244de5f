//! JSON text without the spaces between its parts; strings and numbers stay as they were written.

/// Writes `json`, which must be JSON, behind `out`.
pub(super) fn compact(json: &str, out: &mut String) {
    let mut rest = json;
    while let Some(quote) = rest.find('"') {
        push_without_spaces(&rest[..quote], out);
        let end = quote + 1 + closing(&rest[quote + 1..]);
        out.push_str(&rest[quote..end]);
        rest = &rest[end..];
    }
    push_without_spaces(rest, out);
}

/// How many bytes a string takes, its closing quote counted.
fn closing(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn push_without_spaces(text: &str, out: &mut String) {
    out.extend(text.split_ascii_whitespace());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_go_and_strings_stay() {
        let mut out = String::new();
        compact("{ \"a b\" : [ 1.50 ,\n\t\"x \\\" y\\\\\" ] }", &mut out);
        assert_eq!(out, r#"{"a b":[1.50,"x \" y\\"]}"#);
    }
}
