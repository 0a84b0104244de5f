//! A backend as the gateway holds it: with what it offers and what became of its calls.

use std::sync::Arc;

use super::catalogue::{Catalogue, Entry, Kind};
use crate::{
    backend::{Answer, Backend, Call, CallError},
    failsafe::{Outcome, ToolCircuit},
    lockfree::Counter,
};

/// One backend and what is known of it.
pub(super) struct Member {
    backend: Arc<Backend>,
    catalogue: Catalogue,
    outcomes: [Counter; Outcome::ALL.len()],
}

impl Member {
    pub(super) fn new(backend: Arc<Backend>) -> Self {
        Self {
            backend,
            catalogue: Catalogue::default(),
            outcomes: std::array::from_fn(|_| Counter::new()),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.backend.name()
    }

    pub(super) const fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }

    pub(super) const fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The tool with this name, if it is on the last good list.
    pub(super) fn tool(&self, name: &str) -> Option<Arc<Entry>> {
        self.catalogue.listing(Kind::Tools)?.find(name).cloned()
    }

    /// Whether a call of this tool may be sent again after it may have run.
    pub(super) fn may_repeat(&self, name: &str, tool: Option<&Entry>) -> bool {
        tool.is_some_and(|tool| tool.repeatable)
            || self
                .backend
                .settings()
                .repeatable_tools
                .iter()
                .any(|repeatable| repeatable == name)
    }

    /// The circuit of a tool.
    pub(super) fn circuit<'a>(&self, tool: &'a Entry) -> &'a ToolCircuit {
        tool.circuit(|name| self.backend.failsafe().tool(name))
    }

    /// Sends a call and counts what became of it; a call that is dropped counts as cancelled.
    pub(super) async fn send(&self, call: Call<'_>) -> Result<Answer, CallError> {
        let mut counting = Counting {
            outcomes: &self.outcomes,
            outcome: Outcome::Cancelled,
        };
        let answer = self.backend.request(call).await;
        counting.outcome = answer
            .as_ref()
            .map_or_else(CallError::outcome, Answer::outcome);
        answer
    }

    /// How often each outcome came up, without those that never did.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL
            .into_iter()
            .zip(self.outcomes.iter().map(Counter::total))
            .filter(|(_, total)| *total > 0)
    }

    /// All calls that ended.
    pub(super) fn request_count(&self) -> u64 {
        self.outcomes.iter().map(Counter::total).sum()
    }
}

struct Counting<'a> {
    outcomes: &'a [Counter; Outcome::ALL.len()],
    outcome: Outcome,
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        if let Some(counter) = self.outcomes.get(self.outcome.index()) {
            counter.add(1);
        }
    }
}
