//! Where the credential of an imported API comes from.

use crate::capability::{
    AuthKind, KeyPlace,
    openapi::{Scheme, Security},
};

/// The place of a credential as it is typed: never the credential itself, which others could read among the processes.
pub(super) fn source(text: &str) -> Result<String, String> {
    let named = ["env:", "file:"].iter().any(|start| {
        text.strip_prefix(start)
            .is_some_and(|rest| !rest.is_empty())
    });
    if named {
        Ok(text.to_owned())
    } else {
        Err("write env:NAME or file:PATH:FIELD: a credential itself never stands on a command line or in a file".to_owned())
    }
}

/// What an operation is shown: what it wants, and a token where its document says nothing and a person says where one is.
pub(super) fn shown(security: &Security, said: Option<&str>) -> Option<Scheme> {
    match security {
        Security::Shown(scheme) if scheme.required || said.is_some() => Some(scheme.clone()),
        Security::Shown(_) | Security::Nothing => None,
        Security::Unsaid => said.map(|_| Scheme {
            name: "token".into(),
            kind: AuthKind::Bearer,
            place: KeyPlace::Header {
                name: http::header::AUTHORIZATION,
                prefix: "Bearer".into(),
            },
            required: true,
        }),
    }
}

/// `env:PET_STORE_TOKEN` for a token of the API `Pet Store`.
pub(super) fn named_after(title: &str, scheme: &Scheme) -> String {
    let words = title
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.map(str::to_ascii_uppercase).collect();
    if words
        .first()
        .is_none_or(|first| first.starts_with(|letter: char| letter.is_ascii_digit()))
    {
        words.insert(0, "API".to_owned());
    }
    let kind = match scheme.kind {
        AuthKind::Bearer => "TOKEN",
        AuthKind::ApiKey => "KEY",
        AuthKind::Basic => "USER_AND_PASSWORD",
        AuthKind::OAuth2 { .. } => "CLIENT_ID_AND_SECRET",
    };
    if words.last().is_some_and(|last| last == kind) {
        words.pop();
    }
    format!("env:{}_{kind}", words.join("_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_never_typed() {
        assert!(source("env:TOKEN").is_ok());
        assert!(source("file:~/.config/x.json:token").is_ok());
        for wrong in ["hunter2", "env:", ""] {
            let refused = source(wrong).unwrap_err();
            assert!(!refused.contains("hunter2"), "{refused}");
        }
    }

    #[test]
    fn a_variable_is_named_after_its_api() {
        let scheme = shown(&Security::Unsaid, Some("env:X")).unwrap();
        assert_eq!(
            named_after("GitHub's v3 REST API", &scheme),
            "env:GITHUB_S_V3_REST_API_TOKEN"
        );
        assert_eq!(named_after("2Checkout", &scheme), "env:API_2CHECKOUT_TOKEN");
        assert_eq!(named_after("", &scheme), "env:API_TOKEN");
    }
}
