//! One message to those who watch: put together once, and cut for callers that may not see everything.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use super::own::Added;
use crate::gateway::Caller;

/// What one look has shown.
#[derive(Default)]
pub(super) struct Picture {
    pub(super) head: Head,
    /// Backends with their JSON.
    pub(super) backends: Vec<(Arc<str>, Arc<str>)>,
    /// Calls with their backends and their JSON.
    pub(super) calls: Vec<(Arc<str>, Arc<str>)>,
}

/// What is the same for everybody.
#[derive(Default, Serialize)]
pub(super) struct Head {
    /// `hello`: everything that is known; `frame`: what is new.
    pub(super) kind: &'static str,
    /// When, in milliseconds since the Unix epoch.
    pub(super) at: u64,
    /// How long a column is, in milliseconds, and which one this belongs to.
    pub(super) column_ms: u64,
    pub(super) column: u64,
    pub(super) sessions: usize,
    pub(super) viewers: usize,
    /// What the gateway itself adds to requests.
    pub(super) own: Added,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<About>,
}

/// What is said once.
#[derive(Clone, Serialize)]
pub(super) struct About {
    pub(super) version: &'static str,
    /// When the gateway started, in milliseconds since the Unix epoch.
    pub(super) started: u64,
    /// Where the rows of a heatmap begin, in microseconds.
    pub(super) edges_us: Vec<f64>,
}

impl Picture {
    /// It as everybody sees it who may use every backend.
    pub(super) fn whole(&self) -> Bytes {
        self.text(None)
    }

    /// It as this caller may see it, with who the caller is.
    pub(super) fn for_caller(&self, caller: &Caller) -> Bytes {
        self.text(Some(caller))
    }

    fn text(&self, caller: Option<&Caller>) -> Bytes {
        let may_see = |name: &str| caller.is_none_or(|caller| caller.may_use(name));
        let mut text = serde_json::to_string(&self.head).unwrap_or_default();
        text.pop();
        if let Some(caller) = caller {
            let you = serde_json::json!({"name": &*caller.name, "operator": caller.operator});
            text += &format!(",\"you\":{you}");
        }
        text += ",\"backends\":[";
        join(&mut text, &self.backends, may_see);
        text += "],\"calls\":[";
        join(&mut text, &self.calls, may_see);
        text += "]}";
        text.into()
    }
}

fn join(text: &mut String, parts: &[(Arc<str>, Arc<str>)], may_see: impl Fn(&str) -> bool) {
    let mut lead = "";
    for (_, json) in parts.iter().filter(|(name, _)| may_see(name)) {
        text.push_str(lead);
        text.push_str(json);
        lead = ",";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_sees_what_it_may_use_and_who_it_is() {
        let part = |name: &str| (name.into(), format!("{{\"name\":\"{name}\"}}").into());
        let picture = Picture {
            backends: vec![part("a"), part("b"), part("c")],
            calls: vec![part("b")],
            ..Picture::default()
        };
        let caller = Caller {
            name: "ann".into(),
            backends: Some(vec!["a".to_owned(), "c".to_owned()]),
            ..Caller::default()
        };
        let seen: serde_json::Value = serde_json::from_slice(&picture.for_caller(&caller)).unwrap();
        assert_eq!(
            seen["backends"],
            serde_json::json!([{"name": "a"}, {"name": "c"}])
        );
        assert_eq!(
            (&seen["calls"], &seen["you"]["name"]),
            (&serde_json::json!([]), &"ann".into())
        );
        let whole: serde_json::Value = serde_json::from_slice(&picture.whole()).unwrap();
        assert_eq!(whole["backends"].as_array().unwrap().len(), 3);
        assert!(whole.get("you").is_none());
    }
}
