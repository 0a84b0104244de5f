//! A backend as the gateway holds it: with what it offers and what became of its calls.

use std::sync::Arc;

use tokio::sync::watch;

use super::{
    catalogue::{Catalogue, Entry, Kind},
    watch::Watch,
};
use crate::{
    backend::{Answer, Backend, Call, CallError},
    failsafe::{Outcome, ToolCircuit},
    lockfree::{Counter, Latest},
};

/// One backend and what is known of it.
pub(super) struct Member {
    backend: Arc<Backend>,
    catalogue: Catalogue,
    watch: Watch,
    /// Goes with the last who holds the member.
    held: watch::Sender<()>,
    outcomes: [Counter; Outcome::ALL.len()],
    /// 1 while as many clients have a way of their own as may.
    full: Latest,
}

impl Member {
    pub(super) fn new(backend: Arc<Backend>) -> Self {
        Self::with(backend, Catalogue::default())
    }

    /// A member that takes the place of an earlier one, whose lists are shown until its own are read.
    pub(super) fn succeeding(backend: Arc<Backend>, earlier: &Self) -> Self {
        Self::with(backend, earlier.catalogue.handed_on())
    }

    fn with(backend: Arc<Backend>, catalogue: Catalogue) -> Self {
        Self {
            backend,
            catalogue,
            watch: Watch::default(),
            held: watch::Sender::new(()),
            outcomes: std::array::from_fn(|_| Counter::new()),
            full: Latest::new(0),
        }
    }

    /// The tasks that run for it beside its calls.
    pub(super) const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Resolves when nobody holds it any more: when it is on no table and its last call has ended.
    pub(super) fn released(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut held = self.held.subscribe();
        // Nothing is ever sent: what is waited for is the error that the sender is gone.
        async move { while held.changed().await.is_ok() {} }
    }

    pub(super) fn name(&self) -> &str {
        self.backend.name()
    }

    pub(super) const fn backend(&self) -> &Arc<Backend> {
        &self.backend
    }

    /// Its name, if its tools say which arguments go into headers: then those that say it wrongly are left out
    /// (MCP 2026-07-28, basic/transports/streamable-http, schema extension).
    pub(super) fn strictly(&self) -> Option<&str> {
        self.backend.reads_headers().then(|| self.name())
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
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Answer, CallError> {
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

    /// Notes whether as many clients as may have a way of their own; whether that is another state than before.
    pub(super) fn is_full(&self, full: bool) -> bool {
        let is_new = self.full.value() != u64::from(full);
        if is_new {
            self.full.set(full.into());
        }
        is_new
    }

    /// How often each outcome came up, also those that never did: a counter that begins at 0 loses no step.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL
            .into_iter()
            .zip(self.outcomes.iter().map(Counter::total))
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
