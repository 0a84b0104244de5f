//! The parts of a backend's URL, and the headers that every request to it bears.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, TE, TRAILER,
        TRANSFER_ENCODING, UPGRADE, USER_AGENT,
    },
    uri::{PathAndQuery, Scheme},
};

use crate::backend::HttpSettings;

/// Headers that say how the bytes on the connection are to be read, which only the one who writes them can say.
const OURS: [HeaderName; 7] = [
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Where to connect and what to ask for there.
pub(super) struct Endpoint {
    pub(super) host: Box<str>,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) path: PathAndQuery,
    /// The header lines of every request, as they are written.
    pub(super) lines: Box<[u8]>,
}

impl Endpoint {
    /// The same at another path.
    pub(super) fn at(&self, path: PathAndQuery) -> Self {
        Self {
            path,
            host: self.host.clone(),
            lines: self.lines.clone(),
            ..*self
        }
    }

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
            lines: lines(&headers(settings)),
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
            Ok(_) if OURS.contains(name) => {
                tracing::warn!(%name, "A configured header was left out: only the gateway can say what it says");
            }
            Ok(value) => {
                headers.insert(name, value);
            }
            Err(_) => {
                tracing::warn!(%name, "A configured header was left out: its value is no header value");
            }
        }
    }
    headers
}

/// Headers as they are written. Neither names nor values can hold a line end.
pub(super) fn lines(headers: &HeaderMap) -> Box<[u8]> {
    let mut lines = Vec::new();
    for (name, value) in headers {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            lines.extend_from_slice(part);
        }
    }
    lines.into()
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
        let lines = std::str::from_utf8(&plain.lines).unwrap();
        assert!(lines.contains("host: 127.0.0.1:8080\r\n"), "{lines}");
        assert!(
            lines.ends_with("authorization: Bearer hunter2\r\n"),
            "{lines}"
        );
        let tls = endpoint("https://mcp.example.com");
        assert_eq!((tls.port, tls.tls, tls.path.as_str()), (443, true, "/"));
        assert_eq!(&*endpoint("http://[::1]:1/").host, "::1");
    }

    #[test]
    fn a_configured_header_cannot_say_where_a_message_ends() {
        let settings = HttpSettings {
            url: "http://127.0.0.1/".parse().unwrap(),
            headers: OURS.map(|name| (name, Secret::new("9"))).into(),
        };
        let lines = Endpoint::new(&settings).lines;
        let lines = std::str::from_utf8(&lines).unwrap();
        assert!(!lines.contains(": 9"), "{lines}");
    }

    #[test]
    fn secrets_in_headers_and_query_do_not_print() {
        let printed = format!("{:?}", endpoint("http://127.0.0.1/mcp?key=s3cret"));
        assert_eq!(printed, "127.0.0.1:80/mcp");
    }
}
