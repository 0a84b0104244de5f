//! Which path asks for what, and which methods it takes.

use std::borrow::Cow;

use http::Method;
use percent_encoding::percent_decode_str;

use super::ui::{self, Asset};
use crate::gateway::{Refusal, Route};

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// An MCP endpoint.
    Mcp(Route),
    /// The event stream of a client of the first revision.
    EventStream(Route),
    /// Where such a client posts to.
    Messages(Route),
    /// One of the pages for people and their monitors.
    Page(Page),
    /// Why calls to this backend flow or do not.
    Why(Box<str>),
    /// A file of the live page.
    File(Asset),
    /// What the live page shows, as it comes.
    Watch,
    /// What the live page shows of this backend alone.
    Near(Box<str>),
    /// Something that an operator does from the live page.
    Act(Box<str>),
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
        "/sse" => return Ok(Target::EventStream(Route::Aggregate)),
        "/message" => return Ok(Target::Messages(Route::Aggregate)),
        "/ui/events" => return Ok(Target::Watch),
        "/health" => Page::Health,
        "/livez" => Page::Live,
        "/readyz" => Page::Ready,
        "/health/backends" => Page::Backends,
        "/metrics" => Page::Metrics,
        "/metrics.json" => Page::MetricsJson,
        _ => {
            return one_backend(trimmed)
                .or_else(|| why(trimmed))
                .or_else(|| live(trimmed))
                .or_else(|| ui::asset(path).map(Target::File))
                .ok_or_else(|| Refusal::NoSuchPath(path.into()));
        }
    };
    Ok(Target::Page(page))
}

fn one_backend(path: &str) -> Option<Target> {
    let path = path.strip_prefix("/mcp/")?;
    let route = |name| decoded(name).map(Route::Backend);
    match path.rsplit_once('/') {
        None => route(path).map(Target::Mcp),
        Some((name, "sse")) => route(name).map(Target::EventStream),
        Some((name, "message")) => route(name).map(Target::Messages),
        Some(_) => None,
    }
}

fn why(path: &str) -> Option<Target> {
    let name = path.strip_prefix("/health/backends/")?;
    decoded(name.strip_suffix("/why")?).map(Target::Why)
}

fn live(path: &str) -> Option<Target> {
    let (what, name) = path.strip_prefix("/ui/")?.split_once('/')?;
    match what {
        "backends" => decoded(name).map(Target::Near),
        "actions" => decoded(name).map(Target::Act),
        _ => None,
    }
}

/// The name in one segment of a path.
fn decoded(segment: &str) -> Option<Box<str>> {
    let whole = !segment.is_empty() && !segment.contains('/');
    let name = percent_decode_str(segment).decode_utf8().ok()?;
    whole.then(|| Cow::into_owned(name).into())
}

impl Target {
    /// Refuses a method that this path does not take.
    pub(super) fn check(&self, method: &Method) -> Result<(), Refusal> {
        let (taken, allowed): (&[Method], _) = match self {
            Self::Mcp(_) => (
                &[Method::POST, Method::GET, Method::DELETE],
                "POST, GET, DELETE",
            ),
            Self::EventStream(_) => (&[Method::GET], "GET"),
            Self::Messages(_) | Self::Act(_) => (&[Method::POST], "POST"),
            Self::Watch => (&[Method::GET], "GET"),
            Self::Page(_) | Self::Why(_) | Self::File(_) | Self::Near(_) => {
                (&[Method::GET, Method::HEAD], "GET, HEAD")
            }
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
            "/mcp/a/b",
            "/mcp/a/b/sse",
            "/mcp//sse",
            "/mcp/%ff/message",
            "/mcp/%ff",
            "/mcp//",
            "/mcpx",
            "",
            "/uix",
            "/ui/nothing.js",
            "/ui/actions",
            "/ui/actions/",
            "/ui/backends/a/b",
            "*",
            "/health/backends/why",
            "/health/backends/a/b/why",
            "/health/backends//why",
            "/health/backends/a/whynot",
        ] {
            assert_eq!(find(path), Err(Refusal::NoSuchPath(path.into())), "{path}");
        }
    }

    #[test]
    fn why_is_asked_of_one_backend_by_its_decoded_name() {
        for path in [
            "/health/backends/my%20files/why",
            "/health/backends/my%20files/why/",
        ] {
            assert_eq!(find(path), Ok(Target::Why("my files".into())));
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
    fn clients_of_the_first_revision_have_a_stream_and_an_address_to_post_to() {
        let one = || Route::Backend("my files".into());
        for (path, target) in [
            ("/sse", Target::EventStream(Route::Aggregate)),
            ("/message", Target::Messages(Route::Aggregate)),
            ("/mcp/my%20files/sse/", Target::EventStream(one())),
            ("/mcp/my%20files/message", Target::Messages(one())),
        ] {
            assert_eq!(find(path), Ok(target), "{path}");
        }
        assert_eq!(backend("/mcp/sse").as_deref(), Some("sse"));
    }

    #[test]
    fn the_live_page_has_files_a_stream_and_actions() {
        for path in ["/", "/ui", "/ui/", "/ui/app.js"] {
            assert!(matches!(find(path), Ok(Target::File(_))), "{path}");
        }
        assert_eq!(find("/ui/events"), Ok(Target::Watch));
        assert_eq!(
            find("/ui/backends/my%20files"),
            Ok(Target::Near("my files".into()))
        );
        let kill = find("/ui/actions/kill").unwrap();
        assert_eq!(kill, Target::Act("kill".into()));
        assert!(kill.check(&Method::GET).is_err() && kill.check(&Method::POST).is_ok());
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
