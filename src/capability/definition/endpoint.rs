//! Where a provider is reached.

use std::fmt;

use http::{Uri, uri::Scheme};

use super::{QueryParam, Surroundings, Template};

/// A scheme, a host and a port. It never has a placeholder, so that no caller chooses who is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// The host as it is written: a name, an IPv4 address, or an IPv6 address in brackets.
    pub host: Box<str>,
    /// The port.
    pub port: u16,
}

/// A URL as far as a definition knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Who is called.
    pub origin: Origin,
    /// The path, which begins with `/`. A parameter in it is percent-encoded.
    pub path: Template,
}

impl Endpoint {
    /// Reads `https://host/path/{name}?fixed=1`; a query becomes parameters.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key, if this is no such URL.
    pub fn parse(
        url: &str,
        surroundings: &dyn Surroundings,
    ) -> Result<(Self, Vec<QueryParam>), String> {
        let authority_at = url.find("://").map_or(0, |at| at + 3);
        let path_at = url[authority_at..]
            .find(['/', '?', '#'])
            .map_or(url.len(), |at| authority_at + at);
        let origin = Origin::parse(&url[..path_at])?;
        let rest = url[path_at..].split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let slash = if path.starts_with('/') { "" } else { "/" };
        let endpoint = Self {
            origin,
            path: Template::parse(&format!("{slash}{path}"), surroundings)?,
        };
        Ok((endpoint, query_params(query, surroundings)?))
    }
}

fn query_params(query: &str, surroundings: &dyn Surroundings) -> Result<Vec<QueryParam>, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = Template::parse(&decoded(value), surroundings)?;
            Ok(QueryParam::new(&decoded(name), value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced)
        .decode_utf8_lossy()
        .into_owned()
}

impl Origin {
    /// Reads `https://host:port`.
    ///
    /// # Errors
    /// The end of a sentence that begins with the key, if this is no such text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "is not a URL that can be called: write one such as https://api.example.org".to_owned()
        };
        if text.contains(['{', '}']) {
            return Err("has a placeholder where the host stands, so a caller could choose who is called and is shown the credential: write the host itself".to_owned());
        }
        let url: Uri = text.parse().map_err(|_| wrong())?;
        let tls = match url.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(wrong()),
        };
        let authority = url.authority().ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err(
                "holds a user name or password: put it into `auth` as type basic".to_owned(),
            );
        }
        if authority.host().is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            tls,
            host: authority.host().to_ascii_lowercase().into(),
            port: authority.port_u16().unwrap_or(if tls { 443 } else { 80 }),
        })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.tls {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual {
            return Ok(());
        }
        write!(f, ":{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::definition::{Piece, key::tests::Pretended};

    #[test]
    fn a_url_is_an_origin_a_path_and_parameters() {
        let url = "https://API.example.org/v1/{id}?a=b%20c&q={q}#x";
        let (endpoint, query) = Endpoint::parse(url, &Pretended).unwrap();
        assert_eq!(endpoint.origin.to_string(), "https://api.example.org");
        let pieces = [Piece::Text("/v1/".into()), Piece::Parameter("id".into())];
        assert_eq!(endpoint.path.pieces(), pieces);
        let expected = [
            QueryParam::new("a", Template::text("b c")),
            QueryParam::new("q", Template::parameter("q")),
        ];
        assert_eq!(query, expected);
        let (bare, _) = Endpoint::parse("http://[::1]:8080", &Pretended).unwrap();
        assert_eq!(bare.origin.to_string(), "http://[::1]:8080");
        assert_eq!(bare.path, Template::text("/"));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for (text, reason) in [
            ("ftp://a", "is not a URL"),
            ("a.example", "is not a URL"),
            ("https://", "is not a URL"),
            ("https://me:pw@a/", "holds a user name"),
            ("https://{host}/x", "has a placeholder where the host"),
            ("{url}", "has a placeholder where the host"),
        ] {
            let refused = Endpoint::parse(text, &Pretended).unwrap_err();
            assert!(refused.starts_with(reason), "{text}: {refused}");
        }
    }
}
