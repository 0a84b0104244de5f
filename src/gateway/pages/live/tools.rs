//! The latencies of single tools, for who opens a backend: looked at every five seconds, and only where a call was recorded.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{
    bins::Bins,
    column::HeatColumns,
    look::{Look, is_news},
};
use crate::gateway::{
    catalogue::{Entry, Kind},
    member::Member,
};

/// Tools of one backend whose latencies are kept; a backend may list any number.
const MOST: usize = 200;

/// The tools of one backend that were called.
#[derive(Debug, Default)]
pub(super) struct Tools(BTreeMap<Box<str>, Tool>);

#[derive(Debug, Serialize)]
struct Tool {
    columns: HeatColumns,
    /// p50, p95 and p99 of all calls, in microseconds.
    latency_us: [u64; 3],
    calls: u64,
    #[serde(skip)]
    seen: Bins,
    #[serde(skip)]
    looked_ms: u64,
}

impl Tools {
    /// Takes what was recorded since the last look.
    pub(super) fn look(&mut self, member: &Member, look: Look) {
        let listing = member.catalogue().listing(Kind::Tools).unwrap_or_default();
        for entry in &listing.entries {
            self.look_at(entry, look);
        }
        self.0.retain(|name, tool| {
            let is_recent = tool.columns.forget(look.column());
            is_recent || listing.find(name).is_some()
        });
    }

    fn look_at(&mut self, entry: &Arc<Entry>, look: Look) {
        let Some(measured) = entry.measured() else {
            return;
        };
        let looked_ms = self.0.get(&entry.key).map(|tool| tool.looked_ms);
        if !is_news(measured.last_ms(), looked_ms) {
            return;
        }
        if looked_ms.is_none() && self.0.len() >= MOST {
            return;
        }
        let snapshot = measured.snapshot();
        let tool = self.0.entry(entry.key.clone()).or_insert_with(Tool::new);
        let bins = Bins::of(&snapshot);
        let news = bins.since(&tool.seen);
        let quantile = |quantile| snapshot.successes().value_at_quantile(quantile);
        tool.latency_us = [0.5, 0.95, 0.99].map(quantile);
        tool.calls = snapshot.successes().len();
        tool.seen = bins;
        tool.looked_ms = look.now_ms;
        if news != Bins::NONE {
            tool.columns.add(look.column(), &news);
        }
    }

    /// All of them as JSON, by their names.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

impl Tool {
    fn new() -> Self {
        Self {
            columns: HeatColumns::default(),
            latency_us: [0; 3],
            calls: 0,
            seen: Bins::NONE,
            looked_ms: 0,
        }
    }
}
