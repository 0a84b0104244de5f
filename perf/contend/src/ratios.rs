//! From figures to the ratios that `perf/budgets.toml` bounds.

use crate::{
    figures::Figures,
    subject::Group::{self, BesideReader, Breaker, Call, Refusal, Snapshot},
};

/// One ratio under the name of its budget; none if a figure for it is missing.
pub(crate) struct Ratio {
    pub(crate) name: &'static str,
    pub(crate) value: Option<f64>,
}

/// One figure: its group, its name, on how many threads.
type Of = (Group, &'static str, usize);

const LOCKED: &str = "locked breaker, locked vector";
const MERGED: &str = "hdrhistogram, 16 merged";

/// Each budget, and the two figures whose quotient it bounds.
const RATIOS: [(&str, Of, Of); 9] = [
    ("two_threads_to_one", (Call, "core", 2), (Call, "core", 1)),
    (
        "refusal_to_admit",
        (Refusal, "core, open", 1),
        (Refusal, "core, closed", 1),
    ),
    ("locked_shape_alone", (Call, LOCKED, 1), (Call, "core", 1)),
    (
        "locked_shape_two_threads",
        (Call, LOCKED, 2),
        (Call, "core", 2),
    ),
    (
        "recloser_two_threads",
        (Breaker, "recloser", 2),
        (Breaker, "core", 2),
    ),
    (
        "failsafe_two_threads",
        (Breaker, "failsafe", 2),
        (Breaker, "core", 2),
    ),
    (
        "tower_resilience_two_threads",
        (Breaker, "tower-resilience", 2),
        (Breaker, "core", 2),
    ),
    (
        "snapshot_to_merged_histograms",
        (Snapshot, "core, 16 shards", 1),
        (Snapshot, MERGED, 1),
    ),
    (
        "record_beside_reader",
        (BesideReader, "core", 2),
        (BesideReader, "core", 1),
    ),
];

pub(crate) fn of(figures: &Figures) -> Vec<Ratio> {
    let figure = |(group, name, threads): Of| figures.of(group, name, threads);
    let ratio = |above: Of, below: Of| figure(above)?.by(figure(below)?);
    RATIOS
        .into_iter()
        .map(|(name, above, below)| Ratio {
            name,
            value: ratio(above, below),
        })
        .collect()
}
