//! A JSON object whose values stay as they were written: only its own keys are read.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::value::RawValue;

/// The members of an object in their order, keys decoded, values raw.
#[derive(Debug, Default)]
pub(crate) struct RawObject<'a>(pub(crate) Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> RawObject<'a> {
    /// Reads an object; `None` if the text is something else.
    pub(crate) fn parse(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// The raw value of a member.
    pub(crate) fn member(&self, key: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| *value)
    }

    /// The value of a member, if it is there and of that type.
    pub(crate) fn read<T: Deserialize<'a>>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.member(key)?.get()).ok()
    }

    /// Puts `value` in the place of a member, or at the end if there is none.
    pub(crate) fn replace(&mut self, key: &'static str, value: &'a RawValue) {
        match self.0.iter_mut().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((Cow::Borrowed(key), value)),
        }
    }
}

/// A string that borrows where no escape forces a copy.
#[derive(Debug, Deserialize)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for RawObject<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(key), value)) = map.next_entry()? {
                    members.push((key, value));
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Members).map(RawObject)
    }
}

impl Serialize for RawObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// Where `part`, a slice of `whole`, begins in it.
pub(crate) fn offset(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_their_order_stay_as_they_were_written() {
        let text = r#"{"b":1e400,"a\u0021":[ 1 , {"x":0.10}]}"#;
        let object = RawObject::parse(text.as_bytes()).unwrap();
        assert_eq!(object.member("a!").unwrap().get(), r#"[ 1 , {"x":0.10}]"#);
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"b":1e400,"a!":[ 1 , {"x":0.10}]}"#
        );
        assert!(RawObject::parse(b"[]").is_none());
    }

    #[test]
    fn a_member_is_replaced_in_its_place_or_added() {
        let mut object = RawObject::parse(br#"{"a":1,"b":2}"#).unwrap();
        object.replace("a", RawValue::NULL);
        object.replace("c", RawValue::TRUE);
        assert_eq!(
            serde_json::to_string(&object).unwrap(),
            r#"{"a":null,"b":2,"c":true}"#
        );
    }
}
