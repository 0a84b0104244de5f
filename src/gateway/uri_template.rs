//! Whether a URI can have come from a resource template (RFC 6570).

/// True if some values of the template's variables give this URI.
/// A plain `{name}` stands for one path segment; operators and lists stand for anything.
pub(super) fn could_be(template: &str, uri: &str) -> bool {
    // Each variable multiplies the ways to cut the URI; no template in use comes near this many.
    if template.matches('{').count() > MOST_VARIABLES {
        return false;
    }
    fits(template, uri)
}

const MOST_VARIABLES: usize = 6;

fn fits(template: &str, uri: &str) -> bool {
    let Some((literal, rest)) = template.split_once('{') else {
        return template == uri;
    };
    let Some(uri) = uri.strip_prefix(literal) else {
        return false;
    };
    let Some((expression, rest)) = rest.split_once('}') else {
        return false;
    };
    let wide = expression.starts_with(|first: char| !first.is_ascii_alphanumeric() && first != '_')
        || expression.ends_with('*')
        || expression.contains(',');
    let reach = if wide {
        uri.len()
    } else {
        uri.find('/').unwrap_or(uri.len())
    };
    let shortest = usize::from(!wide);
    (shortest..=reach)
        .rev()
        .filter_map(|end| uri.get(end..))
        .any(|uri| fits(rest, uri))
}

#[cfg(test)]
mod tests {
    use super::could_be;

    #[test]
    fn a_variable_is_one_segment_and_an_operator_is_anything() {
        assert!(could_be("test://{id}/data", "test://7/data"));
        assert!(!could_be("test://{id}/data", "test://7/8/data"));
        assert!(!could_be("test://{id}/data", "test:///data"));
        assert!(could_be("file://{+path}", "file:///a/b"));
        assert!(could_be("q://x{?a,b}", "q://x"));
        assert!(could_be("plain://x", "plain://x"));
        assert!(!could_be("broken://{x", "broken://1"));
        assert!(could_be("größe://{a}-{b}", "größe://ä-ö"));
    }
}
