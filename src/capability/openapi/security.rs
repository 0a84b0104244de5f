//! What an operation wants to be shown.

use http::header;
use serde_json::value::RawValue;

use super::{
    document::{Document, object, object_of},
    trouble::Trouble,
};
use crate::{
    capability::{AuthKind, KeyPlace},
    protocol::RawObject,
};

/// A kind of credential and the place where it is shown. Whose it is and where it comes from a document cannot know.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheme {
    /// The document's name for it.
    pub name: Box<str>,
    /// What it is.
    pub kind: AuthKind,
    /// Where it stands in the request.
    pub place: KeyPlace,
    /// Whether the operation is refused without it.
    pub required: bool,
}

/// What an operation wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Security {
    /// The document says nothing of credentials.
    Unsaid,
    /// None, and it says so.
    Nothing,
    /// This one.
    Shown(Scheme),
}

/// What an operation wants to be shown: the first of its alternatives that is one credential that can be shown.
///
/// # Errors
/// If there is no such alternative.
pub(super) fn security(
    operation: &RawObject<'_>,
    document: &Document<'_>,
) -> Result<Security, Trouble> {
    let said = operation
        .member("security")
        .or_else(|| document.root.member("security"));
    let Some(said) = said else {
        return Ok(Security::Unsaid);
    };
    let alternatives: Vec<&RawValue> = serde_json::from_str(said.get()).unwrap_or_default();
    let alternatives = alternatives
        .into_iter()
        .map(object)
        .collect::<Result<Vec<_>, _>>()?;
    let optional = alternatives
        .iter()
        .any(|alternative| alternative.0.is_empty());
    let mut trouble = None;
    for alternative in &alternatives {
        match shown(alternative, document) {
            Ok(Some(scheme)) => {
                return Ok(Security::Shown(Scheme {
                    required: !optional,
                    ..scheme
                }));
            }
            Ok(None) => {}
            Err(found) => trouble = trouble.or(Some(found)),
        }
    }
    trouble
        .filter(|_| !optional)
        .map_or(Ok(Security::Nothing), Err)
}

fn shown(alternative: &RawObject<'_>, document: &Document<'_>) -> Result<Option<Scheme>, Trouble> {
    let [(name, scopes)] = alternative.0.as_slice() else {
        let names: Vec<&str> = alternative.0.iter().map(|(name, _)| &**name).collect();
        return match names.as_slice() {
            [] => Ok(None),
            many => Err(Trouble::Credential(format!(
                "{} credentials at once ({})",
                many.len(),
                many.join(", ")
            ))),
        };
    };
    let scopes: Vec<Box<str>> = serde_json::from_str(scopes.get()).unwrap_or_default();
    let schemes = object_of(&object_of(&document.root, "components"), "securitySchemes");
    let raw = schemes
        .member(name)
        .ok_or_else(|| Trouble::Dangling(format!("the security scheme {name}")))?;
    let scheme = document.object(raw)?;
    let (kind, place) = kind(&scheme, scopes)?;
    Ok(Some(Scheme {
        name: (&**name).into(),
        kind,
        place,
        required: true,
    }))
}

fn kind(scheme: &RawObject<'_>, scopes: Vec<Box<str>>) -> Result<(AuthKind, KeyPlace), Trouble> {
    let word = |key: &str| scheme.read::<String>(key).unwrap_or_default();
    let unknown = |what: &str| {
        Err(Trouble::Credential(format!(
            "a credential that cannot be shown ({what})"
        )))
    };
    match word("type").as_str() {
        "apiKey" => Ok((AuthKind::ApiKey, key_place(&word("in"), &word("name"))?)),
        "http" => match word("scheme").to_ascii_lowercase().as_str() {
            "bearer" => Ok((AuthKind::Bearer, in_authorization("Bearer"))),
            "basic" => Ok((AuthKind::Basic, in_authorization("Basic"))),
            other => unknown(other),
        },
        "oauth2" => Ok((oauth2(scheme, scopes), in_authorization("Bearer"))),
        "openIdConnect" => Ok((AuthKind::Bearer, in_authorization("Bearer"))),
        other => unknown(other),
    }
}

fn in_authorization(prefix: &str) -> KeyPlace {
    KeyPlace::Header {
        name: header::AUTHORIZATION,
        prefix: prefix.into(),
    }
}

fn key_place(place: &str, name: &str) -> Result<KeyPlace, Trouble> {
    let wrong = || Trouble::Malformed("the place of an API key".to_owned());
    match place {
        "header" => Ok(KeyPlace::Header {
            name: name.parse().map_err(|_| wrong())?,
            prefix: "".into(),
        }),
        "query" => Ok(KeyPlace::Query(name.into())),
        "cookie" => Ok(KeyPlace::Cookie(name.into())),
        _ => Err(wrong()),
    }
}

/// Tokens are asked for where the document says how a program without a person does that; all others are brought along.
fn oauth2(scheme: &RawObject<'_>, scopes: Vec<Box<str>>) -> AuthKind {
    let flow = object_of(&object_of(scheme, "flows"), "clientCredentials");
    let endpoint = flow
        .read::<String>("tokenUrl")
        .and_then(|url| url.parse::<http::Uri>().ok());
    match endpoint.filter(|url| url.authority().is_some()) {
        Some(token_endpoint) => AuthKind::OAuth2 {
            token_endpoint,
            scopes,
        },
        None => AuthKind::Bearer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capability::openapi::document::DocumentText;

    const SCHEMES: &str = r#""components":{"securitySchemes":{
        "bearer":{"type":"http","scheme":"Bearer"},"basic":{"type":"http","scheme":"basic"},
        "digest":{"type":"http","scheme":"digest"},"tls":{"type":"mutualTLS"},
        "head":{"type":"apiKey","in":"header","name":"X-Key"},"query":{"type":"apiKey","in":"query","name":"key"},
        "cookie":{"type":"apiKey","in":"cookie","name":"sid"},
        "machine":{"type":"oauth2","flows":{"clientCredentials":{"tokenUrl":"https://a.example/token","scopes":{}}}},
        "person":{"type":"oauth2","flows":{"implicit":{"authorizationUrl":"https://a.example","scopes":{}}}},
        "oidc":{"type":"openIdConnect","openIdConnectUrl":"https://a.example"}}}"#;

    fn wanted(security: &str) -> Result<Security, String> {
        let text = DocumentText::new(
            format!(r#"{{"openapi":"3.1.0",{SCHEMES},"security":{security}}}"#).as_bytes(),
        )
        .unwrap();
        let document = Document::new(&text).unwrap();
        super::security(&RawObject::default(), &document).map_err(|trouble| trouble.to_string())
    }

    fn shown(security: &str) -> Scheme {
        match wanted(security) {
            Ok(Security::Shown(scheme)) => scheme,
            other => panic!("{security}: {other:?}"),
        }
    }

    #[test]
    fn each_kind_of_scheme_is_one_of_ours() {
        for (name, kind, place) in [
            ("bearer", AuthKind::Bearer, in_authorization("Bearer")),
            ("basic", AuthKind::Basic, in_authorization("Basic")),
            (
                "head",
                AuthKind::ApiKey,
                KeyPlace::Header {
                    name: "x-key".parse().unwrap(),
                    prefix: "".into(),
                },
            ),
            ("query", AuthKind::ApiKey, KeyPlace::Query("key".into())),
            ("cookie", AuthKind::ApiKey, KeyPlace::Cookie("sid".into())),
            ("person", AuthKind::Bearer, in_authorization("Bearer")),
            ("oidc", AuthKind::Bearer, in_authorization("Bearer")),
        ] {
            let scheme = shown(&format!(r#"[{{"{name}":[]}}]"#));
            assert_eq!(
                (scheme.kind, scheme.place, scheme.required),
                (kind, place, true),
                "{name}"
            );
        }
        let AuthKind::OAuth2 {
            token_endpoint,
            scopes,
        } = shown(r#"[{"machine":["read","write"]}]"#).kind
        else {
            panic!("no client credentials")
        };
        assert_eq!(token_endpoint, "https://a.example/token");
        assert_eq!(scopes, ["read".into(), "write".into()]);
    }

    #[test]
    fn the_first_alternative_that_can_be_shown_is_taken() {
        assert_eq!(
            &*shown(r#"[{"digest":[]},{"bearer":[],"head":[]},{"basic":[]}]"#).name,
            "basic"
        );
        assert!(!shown(r#"[{},{"basic":[]}]"#).required);
        assert_eq!(wanted("[]"), Ok(Security::Nothing));
        assert_eq!(wanted("[{}]"), Ok(Security::Nothing));
        assert_eq!(wanted(r#"[{},{"tls":[]}]"#), Ok(Security::Nothing));
        assert!(
            wanted(r#"[{"bearer":[],"head":[]}]"#)
                .unwrap_err()
                .contains("2 credentials at once (bearer, head)")
        );
        assert!(wanted(r#"[{"tls":[]}]"#).unwrap_err().contains("mutualTLS"));
        assert!(
            wanted(r#"[{"none":[]}]"#)
                .unwrap_err()
                .contains("the security scheme none")
        );
    }
}
