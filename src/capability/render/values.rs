//! What each name in a definition stands for in one call.

use serde_json::{Map, Value};

/// The arguments of one call, over what the definition says for those that are absent.
#[derive(Clone, Copy, Debug)]
pub(in crate::capability) struct Values<'a> {
    pub(in crate::capability) said: &'a Map<String, Value>,
    pub(in crate::capability) fixed: &'a [(Box<str>, Value)],
    pub(in crate::capability) defaults: &'a [(String, Value)],
}

impl<'a> Values<'a> {
    /// The value of a name: what the caller says, else the static parameter, else the schema's default.
    pub(super) fn of(&self, name: &str) -> Option<&'a Value> {
        let fixed = || {
            let found = self.fixed.iter().find(|(key, _)| &**key == name);
            found.map(|(_, value)| value)
        };
        let default = || {
            let found = self.defaults.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value)
        };
        self.said.get(name).or_else(fixed).or_else(default)
    }

    /// The same where only text can stand: null is nothing there.
    pub(super) fn present(&self, name: &str) -> Option<&'a Value> {
        self.of(name).filter(|value| !value.is_null())
    }

    /// Everything that is said or fixed, except for the names that `used` knows.
    pub(super) fn rest(&self, used: &[&str]) -> Map<String, Value> {
        let fixed = self
            .fixed
            .iter()
            .map(|(key, value)| (key.to_string(), value.clone()));
        let said = self
            .said
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()));
        fixed
            .chain(said)
            .filter(|(name, _)| !used.contains(&name.as_str()))
            .collect()
    }
}

/// A value as a word: text as it is, a list as words between commas, anything else as JSON.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(word).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
