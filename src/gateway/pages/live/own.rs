//! What the gateway itself adds to requests, as the live page shows it: of the last minute, and how often it was too much.

use serde::Serialize;

use super::{
    column::COLUMN_MS,
    look::{Look, is_news},
};
use crate::{
    gateway::Gateway,
    lockfree::{Snapshot, SnapshotRing},
    telemetry::clock::micros,
};

const MINUTE_MS: u64 = 60_000;
/// Snapshots of which the oldest is a minute old.
const KEPT: usize = (MINUTE_MS / COLUMN_MS) as usize + 1;

/// What is remembered between two looks.
#[derive(Debug)]
pub(super) struct Own {
    past: SnapshotRing,
    /// The one of the last thorough look, and when it was.
    last: Option<(u64, Snapshot)>,
    shown: Added,
}

/// What is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Added {
    /// p50 and p99 of what was added in the last minute, in microseconds; none where nothing was measured.
    added_us: Option<[u64; 2]>,
    /// What may be added, in microseconds.
    budget_us: Option<u64>,
    /// Measured requests to which more was added, since the start.
    over_budget: u64,
}

impl Default for Own {
    fn default() -> Self {
        Self {
            past: SnapshotRing::new(KEPT),
            last: None,
            shown: Added::default(),
        }
    }
}

impl Own {
    /// As of the last look.
    pub(super) const fn shown(&self) -> Added {
        self.shown
    }

    /// Quantiles are taken anew at thorough looks alone, and the recorder is read only where something was recorded.
    pub(super) fn look(&mut self, gateway: &Gateway, look: Look) {
        let budget = gateway.table().settings().timing.overhead_budget;
        self.shown.budget_us = budget.map(micros);
        self.shown.over_budget = gateway.overhead.exceeded();
        if look.is_thorough {
            self.measure(gateway, look);
        }
    }

    fn measure(&mut self, gateway: &Gateway, look: Look) {
        let recorder = gateway.overhead.recorder();
        let looked_ms = self.last.as_ref().map(|(at_ms, _)| *at_ms);
        let last = match self.last.take() {
            Some((at_ms, last)) if !is_news(recorder.last_ms(), looked_ms) => (at_ms, last),
            _ => (look.now_ms, recorder.snapshot()),
        };
        let lately = self.past.since(look.now_ms, MINUTE_MS, &last.1);
        self.past.push(look.now_ms, &last.1);
        let added = lately.successes();
        let quantile = |quantile| added.value_at_quantile(quantile);
        self.shown.added_us = (!added.is_empty()).then(|| [0.5, 0.99].map(quantile));
        self.last = Some(last);
    }
}
