//! `auth`: what a provider is shown.

use http::HeaderName;

use super::surroundings::Known;
use crate::{
    capability::{Auth, AuthKind, Key, KeyPlace},
    config::{section::Section, values},
};

/// The credential of a capability.
pub(super) fn read(root: &mut Section<'_>) -> Option<Auth> {
    read_as(root, false)
}

/// A credential that must be there unless it says otherwise.
pub(in crate::config) fn read_required(root: &mut Section<'_>) -> Option<Auth> {
    read_as(root, true)
}

/// A key in a section of credentials, where something else says what it is.
pub(in crate::config) fn read_key(section: &mut Section<'_>) -> Option<Key> {
    key(section, true, false)
}

fn read_as(root: &mut Section<'_>, mut required: bool) -> Option<Auth> {
    let mut section = root.section("auth");
    section.accept("description");
    section.without_effect("shared_account");
    section.flag("required", &mut required);
    let kind = kind(&mut section, required);
    let key = key(&mut section, required, kind.is_some());
    let place = place(&mut section);
    section.finish();
    let auth = Auth::new(key?, kind?);
    Some(Auth {
        place: place(auth.place.clone())?,
        ..auth
    })
}

/// What kind of credential is written; none for `none` and for nothing.
fn kind(section: &mut Section<'_>, required: bool) -> Option<AuthKind> {
    let endpoint = section.unquoted("token_endpoint", values::url);
    let scopes = section.texts("scopes").unwrap_or_default();
    let written = section.plain("type");
    match written.as_deref() {
        None | Some("none") if !required => None,
        None | Some("none") => {
            section.refuse(
                "type",
                "is missing, but auth.required is true: write bearer, api_key, basic or oauth2",
            );
            None
        }
        Some("bearer") => Some(AuthKind::Bearer),
        Some("api_key") => Some(AuthKind::ApiKey),
        Some("basic") => Some(AuthKind::Basic),
        Some("oauth2") => match endpoint {
            Some(token_endpoint) => Some(AuthKind::OAuth2 {
                token_endpoint,
                scopes: scopes.into_iter().map(Into::into).collect(),
            }),
            None => {
                section.refuse(
                    "token_endpoint",
                    "is missing: write the URL at which tokens are given for a client's id and secret",
                );
                None
            }
        },
        Some("oauth") => {
            section.refuse(
                "type",
                "is `oauth`, a login by a person, which this version cannot make: write oauth2 with a client's id and secret, or bearer with a token",
            );
            None
        }
        Some(other) => {
            let sentence = format!(
                "is `{other}`, which is no kind of credential: write none, bearer, api_key, basic or oauth2"
            );
            section.refuse("type", &sentence);
            None
        }
    }
}

/// A key that is not there is a fault only where it is required.
fn key(section: &mut Section<'_>, required: bool, wanted: bool) -> Option<Key> {
    let environment = section.reading().environment;
    let written = section.plain("key");
    match written.map(|text| Key::parse(&text, &Known(environment))) {
        None if wanted => {
            section.refuse(
                "key",
                "is missing: write env:NAME, {env.NAME}, or file:PATH:FIELD",
            );
            None
        }
        None => None,
        Some(Ok(key)) => Some(key),
        Some(Err(sentence)) if required => {
            section.refuse("key", &sentence);
            None
        }
        Some(Err(_)) => None,
    }
}

/// Where the credential stands: what is written, over where it usually is.
fn place(section: &mut Section<'_>) -> impl FnOnce(KeyPlace) -> Option<KeyPlace> + use<> {
    let param = section.plain("param");
    let cookie = section.plain("cookie");
    let header = section.optional("header", |text| {
        text.parse::<HeaderName>()
            .map_err(|_| "is no name of a header: use letters, digits and `-`".to_owned())
    });
    let prefix = section.plain("prefix");
    let wrong = section.place_of("header").is_some() && header.is_none();
    let written = [header.is_some(), param.is_some(), cookie.is_some()];
    if written.iter().filter(|written| **written).count() > 1 {
        let key = if param.is_some() { "param" } else { "cookie" };
        section.refuse(key, "is written beside another place of the credential, which stands in one: write `header`, `param` or `cookie`");
    }
    move |usual| {
        if let Some(param) = param {
            return Some(KeyPlace::Query(param.into()));
        }
        if let Some(cookie) = cookie {
            return Some(KeyPlace::Cookie(cookie.into()));
        }
        let KeyPlace::Header { name, prefix: own } = usual else {
            return Some(usual);
        };
        (!wrong).then(|| KeyPlace::Header {
            name: header.unwrap_or(name),
            prefix: prefix.map_or(own, Into::into),
        })
    }
}
