//! What a body is, by what is said of it.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::CONTENT_TYPE};

use crate::capability::ResponseFormat;

/// What a body is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Json,
    Text,
    Binary,
}

/// The media type without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = value.split(';').next().unwrap_or_default().trim();
    (!kind.is_empty()).then(|| kind.to_ascii_lowercase())
}

/// How this body is read.
pub(super) fn reading(format: ResponseFormat, media_type: Option<&str>, body: &[u8]) -> Reading {
    match format {
        ResponseFormat::Json => Reading::Json,
        ResponseFormat::Text => Reading::Text,
        ResponseFormat::Binary => Reading::Binary,
        ResponseFormat::Auto => match media_type {
            Some(kind) if is_json(kind) => Reading::Json,
            Some(kind) if is_text(kind) => Reading::Text,
            Some("application/octet-stream") | None => by_its_look(body),
            Some(_) => Reading::Binary,
        },
    }
}

fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn is_text(kind: &str) -> bool {
    const TEXTS: [&str; 6] = [
        "application/xml",
        "application/yaml",
        "application/x-yaml",
        "application/x-ndjson",
        "application/javascript",
        "application/x-www-form-urlencoded",
    ];
    kind.starts_with("text/") || kind.ends_with("+xml") || TEXTS.contains(&kind)
}

fn by_its_look(body: &[u8]) -> Reading {
    if serde_json::from_slice::<&serde_json::value::RawValue>(body).is_ok() {
        Reading::Json
    } else if std::str::from_utf8(body).is_ok() {
        Reading::Text
    } else {
        Reading::Binary
    }
}

/// Bytes as text (RFC 4648, 4).
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_what_its_content_type_says_unless_the_definition_knows_better() {
        for (kind, body, read) in [
            (Some("application/json"), &b"<"[..], Reading::Json),
            (Some("application/vnd.github+json"), b"{}", Reading::Json),
            (Some("text/html"), b"{}", Reading::Text),
            (Some("image/svg+xml"), b"<", Reading::Text),
            (Some("image/png"), b"{}", Reading::Binary),
            (None, b"{}", Reading::Json),
            (None, b"hello", Reading::Text),
            (None, b"\xff\xfe", Reading::Binary),
        ] {
            assert_eq!(reading(ResponseFormat::Auto, kind, body), read, "{kind:?}");
            assert_eq!(reading(ResponseFormat::Text, kind, body), Reading::Text);
        }
        let mut headers = HeaderMap::new();
        headers.insert(
            CONTENT_TYPE,
            "Application/JSON; charset=utf-8".parse().unwrap(),
        );
        assert_eq!(media_type(&headers).as_deref(), Some("application/json"));
    }
}
