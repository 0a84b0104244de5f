//! Which path asks for what, and which methods it takes.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use crate::gateway::{Refusal, Route};

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An MCP endpoint.
    Mcp(Route),
    /// One of the pages for people and their monitors.
    Page(Page),
}

/// A page for people and their monitors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// `/health`
    Health,
    /// `/livez`
    Live,
    /// `/readyz`
    Ready,
    /// `/health/backends`
    Backends,
    /// `/metrics`
    Metrics,
    /// `/metrics.json`
    MetricsJson,
}

/// Finds what `path` asks for. A slash at its end changes nothing.
pub(super) fn find(path: &str) -> Result<Target, Refusal> {
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let page = match trimmed {
        "/mcp" => return Ok(Target::Mcp(Route::Aggregate)),
        "/health" => Page::Health,
        "/livez" => Page::Live,
        "/readyz" => Page::Ready,
        "/health/backends" => Page::Backends,
        "/metrics" => Page::Metrics,
        "/metrics.json" => Page::MetricsJson,
        _ => return one_backend(trimmed).ok_or_else(|| Refusal::NoSuchPath(path.into())),
    };
    Ok(Target::Page(page))
}

fn one_backend(path: &str) -> Option<Target> {
    let name = path
        .strip_prefix("/mcp/")
        .filter(|name| !name.contains('/'))?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    (!name.is_empty()).then(|| Target::Mcp(Route::Backend(Cow::into_owned(name).into())))
}

impl Target {
    /// Refuses a method that this path does not take.
    pub(super) fn check(&self, method: &Method) -> Result<(), Refusal> {
        let (taken, allowed): (&[Method], _) = match self {
            Self::Mcp(_) => (
                &[Method::POST, Method::GET, Method::DELETE],
                "POST, GET, DELETE",
            ),
            Self::Page(_) => (&[Method::GET, Method::HEAD], "GET, HEAD"),
        };
        if taken.contains(method) {
            Ok(())
        } else {
            Err(Refusal::MethodNotAllowed(allowed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backend(path: &str) -> Option<Box<str>> {
        match find(path) {
            Ok(Target::Mcp(Route::Backend(name))) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn a_backend_is_named_by_the_decoded_rest_of_the_path() {
        assert_eq!(backend("/mcp/demo").as_deref(), Some("demo"));
        assert_eq!(backend("/mcp/demo/").as_deref(), Some("demo"));
        assert_eq!(backend("/mcp/my%20files").as_deref(), Some("my files"));
        assert_eq!(backend("/mcp/caf%C3%A9").as_deref(), Some("caf\u{e9}"));
    }

    #[test]
    fn what_names_no_backend_is_no_path_of_ours() {
        for path in [
            "/mcp/a/b", "/mcp/%ff", "/mcp//", "/mcpx", "/", "", "/ui", "*",
        ] {
            assert_eq!(find(path), Err(Refusal::NoSuchPath(path.into())), "{path}");
        }
    }

    #[test]
    fn the_aggregate_and_the_pages_are_found_with_and_without_a_last_slash() {
        assert_eq!(find("/mcp/"), Ok(Target::Mcp(Route::Aggregate)));
        assert_eq!(find("/health"), Ok(Target::Page(Page::Health)));
        assert_eq!(find("/health/backends/"), Ok(Target::Page(Page::Backends)));
        assert_eq!(find("/metrics.json"), Ok(Target::Page(Page::MetricsJson)));
    }

    #[test]
    fn a_method_that_is_not_taken_is_told_which_are() {
        let mcp = Target::Mcp(Route::Aggregate);
        assert_eq!(mcp.check(&Method::DELETE), Ok(()));
        assert_eq!(
            mcp.check(&Method::PUT),
            Err(Refusal::MethodNotAllowed("POST, GET, DELETE"))
        );
        assert_eq!(Target::Page(Page::Live).check(&Method::HEAD), Ok(()));
        assert!(Target::Page(Page::Live).check(&Method::POST).is_err());
    }
}
