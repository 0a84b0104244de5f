//! Reads the arguments of a meta-tool: unknown ones are refused with a suggestion, and JSON inside a string is taken too,
//! because models write both.

use std::borrow::Cow;

use serde::Deserialize;

use super::MetaTool;
use crate::{
    gateway::{nearest::nearest, replies::Refusal},
    protocol::{RawObject, Text},
};

/// The arguments of one call, checked against what the tool takes.
pub(super) struct Arguments<'a> {
    tool: MetaTool,
    members: RawObject<'a>,
}

/// As a method, the arguments are the params, where these are the protocol's own.
const PROTOCOL: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// The object in `raw`, or in the JSON string that `raw` is; none for nothing and for null.
pub(super) fn object_text(raw: &[u8]) -> Option<Cow<'_, [u8]>> {
    match raw.trim_ascii_start().first() {
        None | Some(b'n') => Some(Cow::Borrowed(b"{}")),
        Some(b'{') => Some(Cow::Borrowed(raw)),
        Some(b'"') => {
            let inner: String = serde_json::from_slice(raw).ok()?;
            if inner.trim().is_empty() {
                return Some(Cow::Borrowed(b"{}"));
            }
            RawObject::parse(inner.as_bytes())?;
            Some(Cow::Owned(inner.into_bytes()))
        }
        Some(_) => None,
    }
}

impl<'a> Arguments<'a> {
    /// Takes the text that [`object_text`] gave.
    pub(super) fn read(tool: MetaTool, text: &'a [u8]) -> Result<Self, Refusal> {
        let members = RawObject::parse(text).ok_or_else(|| not_an_object(tool))?;
        let is_known = |name: &str| PROTOCOL.contains(&name) || tool.arguments().contains(&name);
        let unknown = members.0.iter().find(|(name, _)| !is_known(name));
        match unknown {
            None => Ok(Self { tool, members }),
            Some((name, _)) => Err(unknown_argument(tool, name)),
        }
    }

    /// A string; none if it is absent or null.
    pub(super) fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, Refusal> {
        let text: Option<Option<Text<'a>>> = self.typed(name, "a string")?;
        Ok(text.flatten().map(|Text(text)| text))
    }

    /// A string that must be there.
    pub(super) fn required(&self, name: &str) -> Result<Cow<'a, str>, Refusal> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.refuse(&format!("`{name}` is missing")))
    }

    /// A whole number; none if it is absent or null.
    pub(super) fn number(&self, name: &str) -> Result<Option<usize>, Refusal> {
        let number: Option<Option<usize>> = self.typed(name, "a whole number")?;
        Ok(number.flatten())
    }

    /// An object as raw JSON; empty if it is absent or null.
    pub(super) fn object(&self, name: &str) -> Result<Cow<'a, [u8]>, Refusal> {
        let raw = self.members.member(name).map_or("", |raw| raw.get());
        object_text(raw.as_bytes())
            .ok_or_else(|| self.refuse(&format!("`{name}` is not an object")))
    }

    fn typed<T: Deserialize<'a>>(&self, name: &str, what: &str) -> Result<Option<T>, Refusal> {
        match self.members.member(name) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get())
                .map(Some)
                .map_err(|_| self.refuse(&format!("`{name}` is not {what}"))),
        }
    }

    fn refuse(&self, what: &str) -> Refusal {
        refusal(self.tool, what)
    }
}

pub(super) fn not_an_object(tool: MetaTool) -> Refusal {
    refusal(tool, "the arguments are not an object")
}

fn unknown_argument(tool: MetaTool, name: &str) -> Refusal {
    let what = match nearest(name, tool.arguments().iter().copied()) {
        Some(meant) => format!("it takes no `{name}`; did you mean `{meant}`?"),
        None => format!("it takes no `{name}`"),
    };
    refusal(tool, &what)
}

fn refusal(tool: MetaTool, what: &str) -> Refusal {
    let name = tool.name();
    let taken = match tool.arguments() {
        [] => "It takes no arguments.".to_owned(),
        some => format!("Its arguments are: {}.", some.join(", ")),
    };
    Refusal::InvalidParams(format!("{name} was not run: {what}. {taken}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invoke(text: &str) -> Result<Arguments<'_>, Refusal> {
        Arguments::read(MetaTool::Invoke, text.as_bytes())
    }

    #[test]
    fn an_unknown_argument_is_refused_with_the_one_that_was_meant() {
        let refusal = invoke(r#"{"sever":"a"}"#).err().unwrap().to_string();
        assert!(refusal.contains("did you mean `server`?"), "{refusal}");
        assert!(refusal.contains("server, tool, arguments"), "{refusal}");
    }

    #[test]
    fn arguments_inside_a_string_are_taken_and_numbers_keep_their_text() {
        let arguments = invoke(r#"{"tool":"t","arguments":"{\"n\":1e400}"}"#).unwrap();
        assert_eq!(&*arguments.object("arguments").unwrap(), br#"{"n":1e400}"#);
        let arguments = invoke(r#"{"tool":"t","arguments":null}"#).unwrap();
        assert_eq!(&*arguments.object("arguments").unwrap(), b"{}");
        let arguments = invoke(r#"{"tool":"t","arguments":[1]}"#).unwrap();
        assert!(arguments.object("arguments").is_err());
    }

    #[test]
    fn a_missing_or_mistyped_argument_is_named() {
        let arguments = invoke(r#"{"server":7}"#).unwrap();
        assert!(
            arguments
                .text("server")
                .unwrap_err()
                .to_string()
                .contains("`server` is not a string")
        );
        assert!(
            arguments
                .required("tool")
                .unwrap_err()
                .to_string()
                .contains("`tool` is missing")
        );
        assert!(invoke(r#"{"tool":"t","_meta":{"progressToken":1}}"#).is_ok());
        assert_eq!(object_text(b"").as_deref(), Some(&b"{}"[..]));
        assert!(object_text(b"[]").is_none());
    }
}
