//! The parts of a backend's URL, and the headers that every request to it bears.

use std::fmt;

use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT},
    uri::{PathAndQuery, Scheme},
};

use crate::backend::HttpSettings;

/// Where to connect and what to ask for there.
pub(super) struct Endpoint {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) path: PathAndQuery,
    pub(super) headers: HeaderMap,
}

impl Endpoint {
    pub(super) fn new(settings: &HttpSettings) -> Self {
        let url = &settings.url;
        let tls = url.scheme() == Some(&Scheme::HTTPS);
        let host = url.host().unwrap_or_default();
        Self {
            host: host.trim_matches(['[', ']']).into(),
            port: url.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            path: url
                .path_and_query()
                .cloned()
                .unwrap_or_else(|| PathAndQuery::from_static("/")),
            headers: headers(settings),
        }
    }
}

impl fmt::Debug for Endpoint {
    /// The query may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}{}", self.host, self.port, self.path.path())
    }
}

/// The configured headers win over ours. The configuration refuses values that no header can hold; a library user's are
/// left out with a warning that names the header.
fn headers(settings: &HttpSettings) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let authority = settings
        .url
        .authority()
        .map_or("", |authority| authority.as_str());
    let host = authority.rsplit('@').next().unwrap_or_default();
    if let Ok(host) = HeaderValue::from_str(host) {
        headers.insert(HOST, host);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    headers.insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("mcp-gateway/", env!("CARGO_PKG_VERSION"))),
    );
    for (name, secret) in &settings.headers {
        match HeaderValue::from_str(secret.expose()) {
            Ok(mut value) => {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
            Err(_) => {
                tracing::warn!(%name, "A configured header was left out: its value is no header value");
            }
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Secret;

    fn endpoint(url: &str) -> Endpoint {
        let authorization = (http::header::AUTHORIZATION, Secret::new("Bearer hunter2"));
        Endpoint::new(&HttpSettings {
            url: url.parse().unwrap(),
            headers: vec![authorization],
        })
    }

    #[test]
    fn the_parts_of_a_url_are_told_apart() {
        let plain = endpoint("http://127.0.0.1:8080/mcp?x=1");
        assert_eq!(
            (&*plain.host, plain.port, plain.tls, plain.path.as_str()),
            ("127.0.0.1", 8080, false, "/mcp?x=1")
        );
        assert_eq!(plain.headers[HOST], "127.0.0.1:8080");
        let tls = endpoint("https://mcp.example.com");
        assert_eq!((tls.port, tls.tls, tls.path.as_str()), (443, true, "/"));
        assert_eq!(&*endpoint("http://[::1]:1/").host, "::1");
    }

    #[test]
    fn secrets_in_headers_and_query_do_not_print() {
        let printed = format!("{:?}", endpoint("http://127.0.0.1/mcp?key=s3cret"));
        assert_eq!(printed, "127.0.0.1:80/mcp");
    }
}
