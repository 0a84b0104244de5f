//! A path of the document as a template.

use std::borrow::Cow;

use super::trouble::Trouble;
use crate::capability::{Piece, QueryParam, Template};

/// A part of a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    Text(&'a str),
    /// What stands between braces.
    Named(&'a str),
}

/// The parts of `/repos/{owner}/x`. What some write behind a path, `{?page,limit}` (RFC 6570, 3.2.8), are parameters of the
/// query, which a document says besides.
pub(super) fn parts(path: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some((text, behind)) = rest.split_once('{') {
        let Some((name, behind)) = behind.split_once('}') else {
            break;
        };
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        if !name.starts_with(['?', '&']) {
            parts.push(Part::Named(name));
        }
        rest = behind;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest));
    }
    parts
}

/// A path and the query that some write behind it, `/x?beta=true`, which OpenAPI has no place for.
pub(super) fn without_query(path: &str) -> (&str, Vec<QueryParam>) {
    let mut braces = 0_usize;
    let outside = |letter: char| {
        braces = match letter {
            '{' => braces + 1,
            '}' => braces.saturating_sub(1),
            _ => braces,
        };
        letter == '?' && braces == 0
    };
    let Some(at) = path.find(outside) else {
        return (path, Vec::new());
    };
    let pairs = path[at + 1..].split('&').filter(|pair| !pair.is_empty());
    let param = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        // A brace would be taken for a parameter where this is written down.
        QueryParam::new(name, Template::text(&value.replace(['{', '}'], "")))
    };
    (&path[..at], pairs.map(param).collect())
}

/// The template of a path below the path of its server. `pieces` tells what stands for a name in braces.
///
/// # Errors
/// If the path has a fragment, or does not begin with `/`.
pub(super) fn template(
    base: &str,
    path: &str,
    mut pieces: impl FnMut(&str) -> Vec<Piece>,
) -> Result<Template, Trouble> {
    if path.contains('#') || !path.starts_with('/') {
        return Err(Trouble::Malformed(format!("the path {path}")));
    }
    let mut text = base.trim_end_matches('/').to_owned();
    let mut all = Vec::new();
    for part in parts(path) {
        let between = match part {
            Part::Text(part) => vec![Piece::Text(part.into())],
            Part::Named(name) => pieces(name),
        };
        for piece in between {
            match piece {
                Piece::Text(part) => text.push_str(&escaped(&part)),
                other => {
                    all.push(Piece::Text(std::mem::take(&mut text).into()));
                    all.push(other);
                }
            }
        }
    }
    all.push(Piece::Text(text.into()));
    all.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    Ok(Template::new(all))
}

/// What may not stand in a path as it is, percent-encoded (RFC 3986, 3.3).
fn escaped(text: &str) -> Cow<'_, str> {
    const LEFT: percent_encoding::AsciiSet = percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'`')
        .add(b'{')
        .add(b'}')
        .add(b'\\')
        .add(b'^')
        .add(b'|');
    percent_encoding::utf8_percent_encode(text, &LEFT).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_template_below_the_path_of_its_server() {
        let piece = |name: &str| vec![Piece::Parameter(name.into())];
        let text = |text: &str| Piece::Text(text.into());
        let pieces = |base: &str, path: &str| {
            template(base, path, piece).map(|template| template.pieces().to_vec())
        };
        let owner = Piece::Parameter("owner".into());
        assert_eq!(
            pieces("/v1/", "/repos/{owner}/x y"),
            Ok(vec![text("/v1/repos/"), owner.clone(), text("/x%20y")])
        );
        assert_eq!(pieces("", "/{owner}"), Ok(vec![text("/"), owner]));
        assert_eq!(pieces("/v1", "/"), Ok(vec![text("/v1/")]));
        assert_eq!(pieces("", "/a{b"), Ok(vec![text("/a%7Bb")]));
        assert_eq!(pieces("", "/a{?page,limit}"), Ok(vec![text("/a")]));
        assert!(pieces("", "/a#b").is_err());
        assert!(pieces("", "a").is_err());
    }

    #[test]
    fn a_query_behind_a_path_is_told_apart() {
        let (path, query) = without_query("/a/{b}{?c}?beta=true&d");
        assert_eq!(path, "/a/{b}{?c}");
        let expected = [("beta", "true"), ("d", "")];
        assert_eq!(
            query,
            expected.map(|(name, value)| QueryParam::new(name, Template::text(value)))
        );
        assert_eq!(without_query("/a{?b}").0, "/a{?b}");
    }
}
