//! What an operator does from the page, and only from this page: the wall against other people's pages that know the address.
//!
//! The wall of every request lets pages of other ports of this machine pass. What changes something is taken from the page's
//! own origin alone, and with a header that a browser sends across origins only where it was allowed to, which it never is.

use std::sync::Arc;

use http::{HeaderMap, Request, Response, Uri, header, uri::Authority};
use hyper::body::Incoming;
use serde::Deserialize;

use crate::{
    gateway::{Action, Caller, Forced, Refusal},
    server::{
        answer::{self, JSON, NO_STORE},
        body::Content,
        door::Visit,
        headers::{self, SEC_FETCH_SITE, X_REQUESTED_BY},
        intake, media,
    },
};

/// What the header must say.
const PAGE: &str = "mcp-gateway";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    backend: Option<Box<str>>,
    to: Option<To>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum To {
    Open,
    Closed,
    Auto,
}

/// Does what is asked for, and says what was done.
pub(in crate::server) async fn act(
    visit: Visit<'_>,
    what: &str,
    caller: Arc<Caller>,
    request: Request<Incoming>,
) -> Result<Response<Content>, Refusal> {
    let host = request.uri().authority().map(Authority::as_str);
    let host = host.or_else(|| headers::text(request.headers(), &header::HOST));
    from_the_page(
        request.headers(),
        host,
        visit.door.rules.now().wall.public(),
    )?;
    media::check_content_type(request.headers())?;
    let limits = visit.door.rules.now().limits.clone();
    let taken = intake::take(request, &limits).await?;
    let action = action(what, &taken.body)?;
    let gateway = &visit.door.gateway;
    let done = gateway.act(&action, &caller, visit.request_id).await?;
    let mut response = answer::whole(200, JSON, done);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, NO_STORE);
    Ok(response)
}

/// Refuses what another page has sent, and what may have been sent by one.
fn from_the_page(
    given: &HeaderMap,
    host: Option<&str>,
    public: Option<&Uri>,
) -> Result<(), Refusal> {
    let refuse = |reason| Err(Refusal::NotFromThePage(reason));
    if headers::text(given, &X_REQUESTED_BY) != Some(PAGE) {
        return refuse("the header X-Requested-By is missing");
    }
    if let Some(site) = given.get(SEC_FETCH_SITE)
        && site != "same-origin"
    {
        return refuse("the browser says that a page of another origin has sent it");
    }
    match given.get(header::ORIGIN) {
        Some(origin) if !is_ours(origin.to_str().unwrap_or_default(), host, public) => {
            refuse("it comes from a page of another origin")
        }
        _ => Ok(()),
    }
}

/// Whether the page comes from where the request goes to, or from the name under which we are known.
fn is_ours(origin: &str, host: Option<&str>, public: Option<&Uri>) -> bool {
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    let is_host = host.is_some_and(|host| host.eq_ignore_ascii_case(authority));
    let public = public.and_then(Uri::authority);
    is_host || public.is_some_and(|public| public.as_str().eq_ignore_ascii_case(authority))
}

fn action(what: &str, body: &[u8]) -> Result<Action, Refusal> {
    let invalid = |reason: String| Refusal::InvalidRequest(reason.into());
    let given: Given = serde_json::from_slice(body).map_err(|error| {
        invalid(format!(
            "The body does not say what to do ({error}), so nothing was done. Send an object with `backend`, and with `to` for force."
        ))
    })?;
    let backend = || {
        given.backend.clone().ok_or_else(|| {
            invalid("The body names no `backend`, so nothing was done. Name one.".to_owned())
        })
    };
    let to = || match given.to {
        Some(To::Open) => Ok(Forced::Open),
        Some(To::Closed) => Ok(Forced::Closed),
        Some(To::Auto) => Ok(Forced::Auto),
        None => Err(invalid(
            "The body does not say `to` what, so nothing was done. Say open, closed or auto."
                .to_owned(),
        )),
    };
    match what {
        "revive" => Ok(Action::Revive(backend()?)),
        "kill" => Ok(Action::Kill(backend()?)),
        "force" => Ok(Action::Force(backend()?, to()?)),
        "reload" => Ok(Action::Reload),
        other => Err(Refusal::NoSuchPath(format!("/ui/actions/{other}").into())),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn checked(given: &[(&'static str, &str)], public: Option<&'static str>) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let public = public.map(Uri::from_static);
        let host = headers.get("host").map(|host| host.to_str().unwrap());
        from_the_page(&headers, host, public.as_ref()).is_ok()
    }

    #[test]
    fn only_the_own_page_may_act() {
        let by = ("x-requested-by", "mcp-gateway");
        let host = ("host", "127.0.0.1:39400");
        let origin = |origin| ("origin", origin);
        assert!(checked(&[by, host, origin("http://127.0.0.1:39400")], None));
        assert!(checked(&[by, host], None), "a program that is no browser");
        assert!(!checked(&[host, origin("http://127.0.0.1:39400")], None));
        for foreign in [
            "http://127.0.0.1:8080",
            "http://localhost:39400",
            "null",
            "",
        ] {
            assert!(!checked(&[by, host, origin(foreign)], None), "{foreign}");
        }
        for site in ["cross-site", "same-site", "none"] {
            assert!(!checked(&[by, host, ("sec-fetch-site", site)], None));
        }
        assert!(checked(
            &[by, host, ("sec-fetch-site", "same-origin")],
            None
        ));
        let public = Some("https://mcp.example");
        assert!(checked(&[by, host, origin("https://mcp.example")], public));
        assert!(!checked(
            &[by, host, origin("https://mcp.example.org")],
            public
        ));
    }

    #[test]
    fn an_action_is_what_path_and_body_say() {
        let forced = action("force", br#"{"backend":"a","to":"closed"}"#);
        assert_eq!(forced, Ok(Action::Force("a".into(), Forced::Closed)));
        assert_eq!(action("reload", b"{}"), Ok(Action::Reload));
        for (what, body) in [
            ("kill", "{}"),
            ("kill", r#"{"backend":1}"#),
            ("force", r#"{"backend":"a"}"#),
            ("force", r#"{"backend":"a","to":"off"}"#),
            ("explode", r#"{"backend":"a"}"#),
            ("revive", r#"{"backend":"a","more":1}"#),
        ] {
            assert!(action(what, body.as_bytes()).is_err(), "{what} {body}");
        }
    }
}
