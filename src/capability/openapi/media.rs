//! Which of the media types of a body is sent.

/// What a media type is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Media {
    /// `application/json`, and any type that is JSON by its suffix (RFC 6839, 3.1).
    Json,
    /// A form of names and values.
    Form,
    /// Text.
    Text,
    /// Files, parts, and anything else that an argument cannot hold.
    Other,
}

impl Media {
    /// Reads `application/json; charset=utf-8`.
    pub(super) fn of(media_type: &str) -> Self {
        if media_type.contains(['{', '}']) {
            return Self::Other; // a name of a parameter could stand there
        }
        let essence = media_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" | "*/*" | "application/*" => Self::Json,
            json if json.ends_with("+json") => Self::Json,
            "application/x-www-form-urlencoded" => Self::Form,
            "application/xml"
            | "application/graphql"
            | "application/yaml"
            | "application/x-ndjson" => Self::Text,
            text if text.starts_with("text/")
                || text.ends_with("+xml")
                || text.ends_with("+yaml") =>
            {
                Self::Text
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_before_forms_and_text() {
        let mut types = [
            "multipart/form-data",
            "text/plain; charset=utf-8",
            "application/x-www-form-urlencoded",
            "application/vnd.github+json",
        ];
        types.sort_by_key(|media_type| Media::of(media_type));
        assert_eq!(
            types.map(Media::of),
            [Media::Json, Media::Form, Media::Text, Media::Other]
        );
    }
}
