//! Where a redirect leads, and what goes along.

use bytes::Bytes;
use fluent_uri::{Uri, UriRef};
use http::{
    HeaderMap, Method, Request, StatusCode,
    header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT},
    uri::Scheme,
};

/// What somebody else may know too.
const HARMLESS: [http::HeaderName; 3] = [ACCEPT, ACCEPT_LANGUAGE, USER_AGENT];

/// The request that a redirect asks for, or why it is not made; none if the answer is no redirect.
///
/// To another host nothing goes along but a question: neither credentials nor a body. What goes encrypted stays so.
pub(super) fn next(
    asked: &Request<Bytes>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Option<Result<Request<Bytes>, Box<str>>> {
    let keeps_method = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER => false,
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        _ => return None,
    };
    let location = headers.get(http::header::LOCATION)?;
    Some(led(asked, location.to_str().ok(), keeps_method))
}

fn led(
    asked: &Request<Bytes>,
    location: Option<&str>,
    keeps_method: bool,
) -> Result<Request<Bytes>, Box<str>> {
    let url = location
        .and_then(|location| target(asked.uri(), location))
        .ok_or("it sends on to something that is no URL")?;
    let same = is_same_origin(asked.uri(), &url);
    if asked.uri().scheme() == Some(&Scheme::HTTPS) && url.scheme() != Some(&Scheme::HTTPS) {
        return Err("it sends on to somewhere without encryption, which is not followed".into());
    }
    let mut request = asked.clone();
    if !keeps_method && !asked.method().is_safe() {
        *request.method_mut() = Method::GET;
        *request.body_mut() = Bytes::new();
        request.headers_mut().remove(CONTENT_TYPE);
        request.headers_mut().remove(CONTENT_LENGTH);
    }
    if !same && !request.method().is_safe() {
        let host = url.host().unwrap_or_default();
        return Err(format!(
            "it sends on to {host}, and what this call holds is not shown to another host: mend base_url if that is its new place"
        )
        .into());
    }
    if !same {
        *request.headers_mut() = harmless(asked.headers());
    }
    *request.uri_mut() = url;
    Ok(request)
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| HARMLESS.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The URL that a reference means (RFC 3986, 5), if it is one of a web server and names nobody's password.
pub(in crate::capability) fn target(base: &http::Uri, reference: &str) -> Option<http::Uri> {
    let base = base.to_string();
    let base = Uri::parse(base.as_str()).ok()?;
    let reference = UriRef::parse(reference).ok()?;
    let mut meant = reference.resolve_against(&base).ok()?;
    meant.set_fragment(None);
    let url: http::Uri = meant.as_str().parse().ok()?;
    let is_web = url.scheme() == Some(&Scheme::HTTP) || url.scheme() == Some(&Scheme::HTTPS);
    let is_plain = url.authority().is_some_and(|it| !it.as_str().contains('@'));
    (is_web && is_plain).then_some(url)
}

fn is_same_origin(one: &http::Uri, other: &http::Uri) -> bool {
    let origin = |url: &http::Uri| {
        let usual = if url.scheme() == Some(&Scheme::HTTPS) {
            443
        } else {
            80
        };
        let host = url.host().unwrap_or_default().to_ascii_lowercase();
        (url.scheme().cloned(), host, url.port_u16().unwrap_or(usual))
    };
    origin(one) == origin(other)
}

#[cfg(test)]
mod tests {
    use http::header::{AUTHORIZATION, LOCATION};

    use super::*;

    fn asked(method: Method) -> Request<Bytes> {
        Request::builder()
            .method(method)
            .uri("https://api.example.org/v1/items?key=hunter2")
            .header(AUTHORIZATION, "Bearer hunter2")
            .header("x-api-key", "hunter2")
            .header(ACCEPT, "application/json")
            .body(Bytes::from_static(b"{}"))
            .unwrap()
    }

    fn sent_on(method: Method, status: u16, to: &str) -> Result<Request<Bytes>, Box<str>> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, to.parse().unwrap());
        let status = StatusCode::from_u16(status).unwrap();
        next(&asked(method), status, &headers).unwrap()
    }

    #[test]
    fn a_reference_is_read_against_where_it_stands() {
        let base = "http://h:8/a/b?q=1".parse().unwrap();
        for (reference, url) in [
            ("/x", "http://h:8/x"),
            ("c?d=1", "http://h:8/a/c?d=1"),
            ("?e", "http://h:8/a/b?e"),
            ("//other/x", "http://other/x"),
            ("https://other/y#part", "https://other/y"),
        ] {
            assert_eq!(target(&base, reference).unwrap().to_string(), url);
        }
        for reference in [
            "file:///etc/passwd",
            "http://me:secret@h/",
            "gopher://h/",
            "http://h o",
        ] {
            assert!(target(&base, reference).is_none(), "{reference}");
        }
    }

    #[test]
    fn credentials_go_along_to_the_same_host_only() {
        let near = sent_on(Method::GET, 302, "/v2/items").unwrap();
        assert!(near.headers().contains_key(AUTHORIZATION));
        for far in [
            "https://evil.example/",
            "https://api.example.org:8443/",
            "https://x.api.example.org/",
        ] {
            let request = sent_on(Method::GET, 302, far).unwrap();
            let names: Vec<_> = request.headers().keys().collect();
            assert_eq!(names, [ACCEPT], "{far}");
        }
    }

    #[test]
    fn a_body_is_never_shown_to_another_host() {
        let error = sent_on(Method::POST, 307, "https://evil.example/").unwrap_err();
        assert!(error.contains("evil.example"), "{error}");
        let near = sent_on(Method::POST, 308, "/v2").unwrap();
        assert_eq!((near.method(), near.body().len()), (&Method::POST, 2));
        let see_other = sent_on(Method::POST, 303, "https://other.example/seen").unwrap();
        assert_eq!(
            (see_other.method(), see_other.body().len()),
            (&Method::GET, 0)
        );
    }

    #[test]
    fn what_was_encrypted_stays_so() {
        assert!(sent_on(Method::GET, 301, "http://api.example.org/").is_err());
    }
}
