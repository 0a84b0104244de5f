//! How a resource or template is named on `/mcp` whose URI an earlier backend has too: `mcp-gateway://BACKEND/URI`.
//!
//! The URI itself stays as it is behind the prefix, so that a template can be filled in before the prefix is taken off or after it.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What these names begin with. A backend's own URI that begins so is always named by us, so that no two names are the same.
const SCHEME: &str = "mcp-gateway://";
/// All but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The name of a backend's resource or template.
pub(super) fn named(backend: &str, uri: &str) -> String {
    let backend: Cow<'_, str> = utf8_percent_encode(backend, RESERVED).into();
    [SCHEME, &backend, "/", uri].concat()
}

/// Whether it is a name of ours, or looks like one.
pub(super) fn is_ours(uri: &str) -> bool {
    uri.starts_with(SCHEME)
}

/// The backend and its own URI that such a name stands for.
pub(super) fn parted(name: &str) -> Option<(Cow<'_, str>, &str)> {
    let (backend, uri) = name.strip_prefix(SCHEME)?.split_once('/')?;
    let backend = percent_decode_str(backend).decode_utf8().ok()?;
    Some((backend, uri))
}

/// A template without the names of its variables: two that have this in common stand for the same URIs.
pub(super) fn shape(template: &str) -> String {
    let mut shape = String::with_capacity(template.len());
    let mut inside = false;
    for letter in template.chars() {
        let is_name = letter.is_alphanumeric() || matches!(letter, '_' | '%');
        inside = (inside || letter == '{') && letter != '}';
        if !(inside && is_name) {
            shape.push(letter);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_gives_back_the_backend_and_the_uri(backend in "[^/:\\s]+", uri in ".*") {
            let name = named(&backend, &uri);
            prop_assert!(is_ours(&name));
            prop_assert_eq!(parted(&name), Some((backend.into(), &*uri)));
        }
    }

    #[test]
    fn a_uri_stays_readable_behind_its_backend() {
        let name = named("a b", "memo:///{id}?x=1#y");
        assert_eq!(name, "mcp-gateway://a%20b/memo:///{id}?x=1#y");
        assert!(parted("memo:///one").is_none() && parted("mcp-gateway://a").is_none());
    }

    #[test]
    fn templates_differ_by_more_than_the_names_of_their_variables() {
        assert_eq!(shape("memo:///{id}/{+rest}"), "memo:///{}/{+}");
        assert_eq!(shape("memo:///{id}"), shape("memo:///{name_2}"));
        assert_ne!(shape("memo:///{id}"), shape("memo:///{+id}"));
        assert_ne!(shape("memo:///{a,b}"), shape("memo:///{a}"));
        assert_ne!(shape("memo:///one"), shape("memo:///two"));
    }
}
