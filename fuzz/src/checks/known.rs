//! A message as `serde_json` and plain rules read it: the second opinion on what the scan finds.

use std::{fmt, ops::Range};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::protocol::Kind;

const OUTER: &[&str] = &["jsonrpc", "id", "method", "params", "result", "error"];
const PARAMS: &[&str] = &[
    "name",
    "uri",
    "arguments",
    "cursor",
    "progressToken",
    "requestId",
    "_meta",
];
const META: &[&str] = &["progressToken"];
const RESULT: &[&str] = &["isError", "resultType", "ttlMs", "cacheScope"];
const ERROR: &[&str] = &["code", "message"];

/// A JSON text, and the objects in it by which messages are routed.
pub(crate) struct Known<'a> {
    text: &'a str,
    pub(crate) outer: Object<'a>,
    pub(crate) params: Object<'a>,
    pub(crate) meta: Object<'a>,
    pub(crate) result: Object<'a>,
    pub(crate) error: Object<'a>,
}

/// The members of an object in order, names decoded; empty where the value is no object.
#[derive(Default)]
pub(crate) struct Object<'a>(Vec<(Option<String>, &'a str)>);

impl<'a> Known<'a> {
    /// Reads a text; nothing where it is not JSON.
    pub(crate) fn of(text: &'a str) -> Option<Self> {
        let whole: &RawValue = serde_json::from_str(text).ok()?;
        let outer = Object::of(Some(whole.get()));
        let params = Object::of(outer.get("params"));
        Some(Self {
            text,
            meta: Object::of(params.get("_meta")),
            result: Object::of(outer.get("result")),
            error: Object::of(outer.get("error")),
            params,
            outer,
        })
    }

    /// What kind of message it is, if it is one.
    pub(crate) fn kind(&self) -> Option<Kind> {
        let is_clear = self.outer.is_clear(OUTER, true)
            && self.params.is_clear(PARAMS, false)
            && self.meta.is_clear(META, false)
            && self.result.is_clear(RESULT, false)
            && self.error.is_clear(ERROR, false);
        let is_ours = string(self.outer.get("jsonrpc")?).as_deref() == Some("2.0");
        if !is_clear || !is_ours {
            return None;
        }
        let id = self.outer.get("id");
        if self.outer.get("method").is_some() {
            return self.call(id);
        }
        let is_good = match (self.result_text(), self.error_text()) {
            (Some(_), None) => id.is_some_and(is_id),
            (None, Some(error)) => {
                error.starts_with('{') && id.is_none_or(|id| id == "null" || is_id(id))
            }
            _ => false,
        };
        is_good.then_some(Kind::Response)
    }

    fn call(&self, id: Option<&str>) -> Option<Kind> {
        let has_answer = ["result", "error"]
            .iter()
            .any(|half| self.outer.get(half).is_some());
        let params = self.outer.get("params").unwrap_or("null");
        let is_good = string(self.outer.get("method")?).is_some()
            && (params == "null" || params.starts_with(['{', '[']))
            && id.is_none_or(is_id);
        let kind = id.map_or(Kind::Notification, |_| Kind::Request);
        (is_good && !has_answer).then_some(kind)
    }

    /// `result`, unless it is the `null` beside an error.
    pub(crate) fn result_text(&self) -> Option<&'a str> {
        let error = self.outer.get("error").filter(|error| *error != "null");
        let result = self.outer.get("result");
        result.filter(|result| *result != "null" || error.is_none())
    }

    /// `error`, unless it is the `null` beside a result.
    pub(crate) fn error_text(&self) -> Option<&'a str> {
        let error = self.outer.get("error");
        error.filter(|error| *error != "null" || self.outer.get("result").is_none())
    }

    /// The progress token's value, whatever it is: a report of progress has it in another place than a request.
    pub(crate) fn token(&self, kind: Kind) -> Option<&'a str> {
        match kind {
            Kind::Notification => self.params.get("progressToken"),
            Kind::Request | Kind::Response => self.meta.get("progressToken"),
        }
    }

    /// The text with other values in place of parts of it.
    pub(crate) fn spliced(&self, splices: &[(Option<&str>, &str)]) -> String {
        let mut places: Vec<(Range<usize>, &str)> = splices
            .iter()
            .filter_map(|(part, other)| Some((self.place((*part)?), *other)))
            .collect();
        places.sort_by_key(|(place, _)| place.start);
        let mut text = self.text.to_owned();
        for (place, other) in places.into_iter().rev() {
            text.replace_range(place, other);
        }
        text
    }

    /// Where a part lies in the text.
    pub(crate) fn place(&self, part: &str) -> Range<usize> {
        let start = part.as_ptr().addr() - self.text.as_ptr().addr();
        start..start + part.len()
    }
}

impl<'a> Object<'a> {
    fn of(value: Option<&'a str>) -> Self {
        value
            .and_then(|value| serde_json::from_str(value).ok())
            .unwrap_or_default()
    }

    /// The value of the first member of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        let mut found = self.0.iter();
        found
            .find(|(known, _)| known.as_deref() == Some(name))
            .map(|(_, value)| *value)
    }

    /// Whether no two readers can disagree on these names.
    fn is_clear(&self, names: &[&str], to_the_letter: bool) -> bool {
        names.iter().all(|name| {
            let folded = name.to_lowercase();
            let mut alike = self.0.iter().filter_map(|(known, _)| known.as_deref());
            let alike: Vec<&str> = alike
                .by_ref()
                .filter(|known| fold(known) == folded)
                .collect();
            alike.len() < 2 && !(to_the_letter && alike.iter().any(|known| known != name))
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((string(name.get()), value.get()));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The text of a JSON string; none where it is no string, or half a surrogate pair is in it.
pub(crate) fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// Simple case folding, as far as it ends in ASCII.
fn fold(name: &str) -> String {
    let fold = |letter| match letter {
        'ſ' => 's',
        '\u{212A}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(fold).collect()
}

fn is_id(json: &str) -> bool {
    let digits = json.strip_prefix('-').unwrap_or(json);
    json.starts_with('"') || digits.bytes().all(|byte| byte.is_ascii_digit())
}
