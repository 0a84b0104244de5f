//! What is asked of an older client, as its revision wants it.

use std::borrow::Cow;

use serde_json::value::to_raw_value;
use uuid::Uuid;

use crate::protocol::{RawObject, Text};

/// Older clients want a name for a page that their user is sent to; modern backends give it none
/// (MCP 2025-11-25, client/elicitation, URL mode).
pub(super) fn named<'a>(method: &str, params: &'a [u8]) -> Cow<'a, [u8]> {
    const NAME: &str = "elicitationId";
    let asked = (method == "elicitation/create").then(|| RawObject::parse(params));
    let Some(mut asked) = asked.flatten() else {
        return Cow::Borrowed(params);
    };
    let is_page = matches!(asked.read("mode"), Some(Text(mode)) if mode == "url");
    if !is_page || asked.member(NAME).is_some() {
        return Cow::Borrowed(params);
    }
    let Ok(name) = to_raw_value(&Uuid::new_v4().simple().to_string()) else {
        return Cow::Borrowed(params);
    };
    asked.replace(NAME, &name);
    serde_json::to_vec(&asked).map_or(Cow::Borrowed(params), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, params: &str) -> String {
        String::from_utf8(named(method, params.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn a_page_without_a_name_gets_one_and_everything_else_stays_as_it_is() {
        let page = r#"{"mode" : "url","message":"m","url":"https://a.example/"}"#;
        let one: RawNamed = serde_json::from_str(&asked("elicitation/create", page)).unwrap();
        let other: RawNamed = serde_json::from_str(&asked("elicitation/create", page)).unwrap();
        assert_eq!(one.url, "https://a.example/");
        assert_ne!(one.elicitation_id, other.elicitation_id);

        let has_one = page.replace("message", "elicitationId");
        let form = r#"{"mode":"form", "message":"m"}"#;
        for params in [&*has_one, form, r#"{"message" :1}"#, "[]"] {
            assert_eq!(asked("elicitation/create", params), params);
        }
        assert_eq!(asked("sampling/createMessage", page), page);
    }

    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct RawNamed {
        url: String,
        elicitation_id: String,
    }
}
