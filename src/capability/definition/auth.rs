//! What a provider is shown so that it answers.

use super::Key;

/// A credential and how it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// Where it comes from.
    pub key: Key,
    /// What it is.
    pub kind: AuthKind,
    /// Where in the request it stands.
    pub place: KeyPlace,
}

/// What a credential is.
#[derive(Clone, Debug, PartialEq)]
pub enum AuthKind {
    /// A token.
    Bearer,
    /// A key of the API.
    ApiKey,
    /// `USER:PASSWORD`, or the same in base64 (RFC 7617).
    Basic,
    /// `CLIENT_ID:CLIENT_SECRET`, with which a token is asked for (RFC 6749, 4.4).
    OAuth2 {
        /// Where tokens are given.
        token_endpoint: http::Uri,
        /// What the token is asked for.
        scopes: Vec<Box<str>>,
    },
}

/// Where a credential stands in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a header, behind a word.
    Header {
        /// The header.
        name: http::HeaderName,
        /// What stands before it and a space; nothing if empty.
        prefix: Box<str>,
    },
    /// In a parameter of the query.
    Query(Box<str>),
    /// In a cookie of this name.
    Cookie(Box<str>),
}

impl Auth {
    /// A credential that is shown where its kind usually is: in the header Authorization, tokens behind `Bearer`, names and
    /// passwords behind `Basic`, and the key of an API behind nothing.
    #[must_use]
    pub fn new(key: Key, kind: AuthKind) -> Self {
        let prefix = match kind {
            AuthKind::Bearer | AuthKind::OAuth2 { .. } => "Bearer",
            AuthKind::Basic => "Basic",
            AuthKind::ApiKey => "",
        };
        let place = KeyPlace::Header {
            name: http::header::AUTHORIZATION,
            prefix: prefix.into(),
        };
        Self { key, kind, place }
    }
}
