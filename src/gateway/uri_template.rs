//! Whether a URI can have come from a resource template (RFC 6570).

/// True if some values of the template's variables give this URI.
/// A plain `{name}` stands for one path segment; operators and lists stand for anything.
///
/// Walks the template once and keeps every place in the URI that it can have reached, so that no template is slow.
pub(super) fn could_be(template: &str, uri: &str) -> bool {
    let uri = uri.as_bytes();
    let mut reached = vec![false; uri.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let Some((expression, after)) = after.split_once('}') else {
            return false;
        };
        reached = past_literal(&reached, uri, literal.as_bytes());
        if is_wide(expression) {
            past_anything(&mut reached);
        } else {
            reached = past_segment(&reached, uri);
        }
        rest = after;
    }
    past_literal(&reached, uri, rest.as_bytes()).last() == Some(&true)
}

/// How much of a template is written out, in bytes: of two that fit a URI, the one with more says more of it.
pub(super) fn written(template: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for byte in template.bytes() {
        inside = (inside || byte == b'{') && byte != b'}';
        count += usize::from(!inside && byte != b'}');
    }
    count
}

fn is_wide(expression: &str) -> bool {
    expression.starts_with(|first: char| !first.is_ascii_alphanumeric() && first != '_')
        || expression.ends_with('*')
        || expression.contains(',')
}

fn past_literal(reached: &[bool], uri: &[u8], literal: &[u8]) -> Vec<bool> {
    let mut next = vec![false; reached.len()];
    for (place, _) in reached.iter().enumerate().filter(|(_, reached)| **reached) {
        let fits = uri.get(place..).is_some_and(|uri| uri.starts_with(literal));
        if let Some(end) = next.get_mut(place + literal.len()) {
            *end |= fits;
        }
    }
    next
}

fn past_anything(reached: &mut [bool]) {
    let first = reached.iter().position(|reached| *reached);
    for place in reached.iter_mut().skip(first.unwrap_or(usize::MAX)) {
        *place = true;
    }
}

/// At least one byte, and none that is a slash.
fn past_segment(reached: &[bool], uri: &[u8]) -> Vec<bool> {
    let mut next = Vec::with_capacity(reached.len());
    let mut inside = false;
    next.push(false);
    for (reached, byte) in reached.iter().zip(uri) {
        inside = (inside || *reached) && *byte != b'/';
        next.push(inside);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::{could_be, written};

    #[test]
    fn a_variable_is_one_segment_and_an_operator_is_anything() {
        assert!(could_be("test://{id}/data", "test://7/data"));
        assert!(!could_be("test://{id}/data", "test://7/8/data"));
        assert!(!could_be("test://{id}/data", "test:///data"));
        assert!(could_be("file://{+path}", "file:///a/b"));
        assert!(could_be("q://x{?a,b}", "q://x"));
        assert!(could_be("plain://x", "plain://x"));
        assert!(!could_be("plain://x", "plain://xy"));
        assert!(!could_be("broken://{x", "broken://1"));
        assert!(could_be("größe://{a}-{b}", "größe://ä-ö"));
        assert!(!could_be("größe://{a}-{b}", "größe://äö"));
    }

    #[test]
    fn what_is_written_out_counts_and_variables_do_not() {
        assert_eq!(written("a:/{+rest}"), 3);
        assert_eq!(written("a:/notes/{id}/x"), 11);
        assert!(written("a:/notes/{id}") > written("a:/{long_name}"));
    }

    #[test]
    fn many_variables_and_a_long_uri_take_one_walk() {
        let template = "{+a}x".repeat(200);
        assert!(!could_be(&template, &"y".repeat(10_000)));
        assert!(could_be(&template, &"x".repeat(10_000)));
    }
}
