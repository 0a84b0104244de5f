//! One listed thing: its raw definition, and the little of it that is read.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Kind, annotations::annotated, header_params::HeaderParam};
use crate::{
    failsafe::ToolCircuit,
    lockfree::{Counter, Recorder},
    protocol::{RawObject, Text, offset},
};

/// A tool, resource, template or prompt of a backend.
#[derive(Debug)]
pub(in crate::gateway) struct Entry {
    /// What it is called by: a name, a URI or a URI template.
    pub(in crate::gateway) key: Box<str>,
    /// What it says it is for.
    pub(in crate::gateway) description: Box<str>,
    /// Whether it says that calling it again does no harm.
    pub(in crate::gateway) repeatable: bool,
    /// Its arguments that calls over HTTP repeat in headers.
    pub(in crate::gateway) header_params: Box<[HeaderParam]>,
    /// Why a client that repeats them must leave the tool out, if it must.
    pub(super) fault: Option<Box<str>>,
    /// The definition as the backend wrote it.
    pub(in crate::gateway) raw: Box<RawValue>,
    /// How long calls of it take; made by its first call and kept when the list is read again.
    latency: Arc<OnceLock<Recorder>>,
    /// Calls of it that should have been answered and were not.
    lost: Arc<Counter>,
    /// The circuit of a tool, found by its first call.
    circuit: OnceLock<ToolCircuit>,
}

impl Entry {
    /// Reads a definition; `None` if it has no name.
    pub(super) fn read(kind: Kind, raw: &RawValue) -> Option<Self> {
        let object = RawObject::parse(raw.get().as_bytes())?;
        let Text(key) = object.read(kind.key())?;
        let description = object.read("description").map(|Text(text)| text);
        let hints = object.read::<Hints>("annotations").unwrap_or_default();
        let (header_params, fault) = match annotated(raw) {
            Ok(params) => (params, None),
            Err(fault) => (Box::default(), Some(fault)),
        };
        Some(Self {
            key: key.into(),
            description: description.unwrap_or(Cow::Borrowed("")).into(),
            repeatable: hints.read_only == Some(true) || hints.idempotent == Some(true),
            header_params,
            fault,
            raw: raw.to_owned(),
            latency: Arc::default(),
            lost: Arc::default(),
            circuit: OnceLock::new(),
        })
    }

    /// Goes on with the measurements of an earlier reading.
    pub(super) fn continuing(mut self, earlier: Option<&Self>) -> Self {
        if let Some(earlier) = earlier {
            self.latency = Arc::clone(&earlier.latency);
            self.lost = Arc::clone(&earlier.lost);
        }
        self
    }

    /// Where calls of it are timed.
    pub(in crate::gateway) fn latency(&self) -> &Recorder {
        self.latency.get_or_init(Recorder::new)
    }

    /// Counts a call of it that should have been answered and was not.
    pub(in crate::gateway) fn lose(&self) {
        self.lost.add(1);
    }

    /// How many those are.
    pub(in crate::gateway) fn lost(&self) -> u64 {
        self.lost.total()
    }

    /// The circuit of a tool; `find` finds it under the tool's name.
    pub(in crate::gateway) fn circuit(
        &self,
        find: impl FnOnce(&str) -> ToolCircuit,
    ) -> &ToolCircuit {
        self.circuit.get_or_init(|| find(&self.key))
    }

    /// How long its calls took, if there were any.
    pub(in crate::gateway) fn measured(&self) -> Option<&Recorder> {
        self.latency.get()
    }

    /// The definition of one of this kind under another name, URI or template, every other byte as it was.
    pub(in crate::gateway) fn renamed(&self, kind: Kind, name: &str) -> Box<RawValue> {
        let spliced = self.spliced(kind.key(), name);
        spliced.unwrap_or_else(|| self.raw.clone())
    }

    fn spliced(&self, key: &str, name: &str) -> Option<Box<RawValue>> {
        let whole = self.raw.get();
        let old = RawObject::parse(whole.as_bytes())?.member(key)?.get();
        let start = offset(whole, old);
        let name = serde_json::to_string(name).ok()?;
        let text = [&whole[..start], &name, &whole[start + old.len()..]].concat();
        RawValue::from_string(text).ok()
    }
}

#[derive(Default, Deserialize)]
struct Hints {
    #[serde(rename = "readOnlyHint", default)]
    read_only: Option<bool>,
    #[serde(rename = "idempotentHint", default)]
    idempotent: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Option<Entry> {
        Entry::read(Kind::Tools, serde_json::from_str(text).unwrap())
    }

    #[test]
    fn a_renamed_tool_keeps_every_other_byte() {
        let text = r#"{"x":{"name":"inner"},"name":"a\u0062" ,"n":1e400}"#;
        let tool = entry(text).unwrap();
        assert_eq!(&*tool.key, "ab");
        assert_eq!(
            tool.renamed(Kind::Tools, "s__ab").get(),
            r#"{"x":{"name":"inner"},"name":"s__ab" ,"n":1e400}"#
        );
    }

    #[test]
    fn only_what_says_so_may_be_repeated() {
        assert!(!entry(r#"{"name":"a"}"#).unwrap().repeatable);
        assert!(
            !entry(r#"{"name":"a","annotations":{"readOnlyHint":false}}"#)
                .unwrap()
                .repeatable
        );
        assert!(
            entry(r#"{"name":"a","annotations":{"readOnlyHint":true}}"#)
                .unwrap()
                .repeatable
        );
        assert!(
            entry(r#"{"name":"a","annotations":{"idempotentHint":true}}"#)
                .unwrap()
                .repeatable
        );
    }

    #[test]
    fn what_has_no_name_is_no_tool_and_odd_members_do_no_harm() {
        assert!(entry(r#"{"description":"x"}"#).is_none());
        let odd = entry(r#"{"name":"a","description":7,"annotations":[]}"#).unwrap();
        assert_eq!(&*odd.description, "");
    }
}
