//! How an objective stands, for pages and people.

use serde::Serialize;

use super::{burn::Rates, watch::Objective, windows::WINDOWS};

/// How one objective stands at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ObjectiveReport {
    /// The backend.
    pub backend: Box<str>,
    /// The tool; empty for the whole backend.
    pub tool: Box<str>,
    /// What it is about: `availability` or `latency`.
    pub slo: &'static str,
    /// The share of calls that should be good, in percent.
    pub objective: f64,
    /// What is in time, in milliseconds; none where it is not about time.
    pub threshold_ms: Option<f64>,
    /// Whether errors come so fast that somebody should know.
    pub burning: bool,
    /// The share of the room for errors that is left of the last three days; below zero if more than all is used.
    pub error_budget_remaining: f64,
    /// How fast it burns in each window: 1 uses the room up exactly by the end of its time.
    pub burn_rates: Vec<Burn>,
}

/// How fast the room for errors burnt in the last while.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Burn {
    /// The while: `5m`, `30m`, `1h`, `2h`, `6h`, `1d` or `3d`.
    pub window: &'static str,
    /// The share of bad calls, by the share that may be bad.
    pub rate: f64,
}

impl ObjectiveReport {
    pub(super) fn new(objective: &Objective, rates: &Rates) -> Self {
        let burn_rates = WINDOWS.iter().zip(rates.rates);
        Self {
            backend: objective.backend.clone(),
            tool: objective.tool.clone(),
            slo: objective.slo,
            objective: objective.percent,
            threshold_ms: objective.threshold_ms,
            burning: rates.alarming,
            error_budget_remaining: rates.left,
            burn_rates: burn_rates
                .map(|(window, rate)| Burn {
                    window: window.name,
                    rate,
                })
                .collect(),
        }
    }
}
