//! For each order of magnitude of latency, the last traced call that took so long: from a bucket of a histogram to a trace.

use std::{array, sync::Arc};

use arc_swap::ArcSwapOption;

use super::{Stamp, Trace};

/// A slot for each power of two, in microseconds; 2^31 us is more than half an hour.
const SLOTS: usize = 32;

/// A call that can be looked at whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exemplar {
    /// How long it took, in microseconds.
    pub micros: u64,
    /// Its trace.
    pub trace: u128,
    /// Its span.
    pub span: u64,
    /// When it ended, in milliseconds of the clock.
    pub at_ms: u64,
}

/// The last exemplars. Only calls whose trace is recorded write, without a lock.
#[derive(Debug)]
pub struct Exemplars([ArcSwapOption<Exemplar>; SLOTS]);

impl Default for Exemplars {
    fn default() -> Self {
        Self(array::from_fn(|_| ArcSwapOption::empty()))
    }
}

impl Exemplars {
    /// Keeps a call that took `micros`, if its trace is recorded.
    pub fn keep(&self, trace: &Trace, micros: u64, ended: Stamp) {
        let Some((trace, span)) = trace.sampled_ids() else {
            return;
        };
        let exemplar = Exemplar {
            micros,
            trace,
            span,
            at_ms: ended.millis(),
        };
        if let Some(slot) = self.0.get(slot(micros)) {
            slot.store(Some(Arc::new(exemplar)));
        }
    }

    /// The newest one that took longer than `above` and no longer than `up_to` microseconds.
    #[must_use]
    pub fn newest(&self, above: u64, up_to: u64) -> Option<Exemplar> {
        let slots = self.0.get(slot(above)..=slot(up_to)).unwrap_or_default();
        let kept = slots
            .iter()
            .filter_map(|slot| slot.load().as_deref().copied());
        kept.filter(|exemplar| exemplar.micros > above && exemplar.micros <= up_to)
            .max_by_key(|exemplar| exemplar.at_ms)
    }
}

fn slot(micros: u64) -> usize {
    let power = micros.checked_ilog2().map_or(0, |power| power as usize);
    power.min(SLOTS - 1)
}
