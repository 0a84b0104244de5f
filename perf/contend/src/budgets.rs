//! The budgets that are ratios of two things measured in one run: what `perf/budgets.toml` says of contention.

use serde::Deserialize;

const BUDGETS: &str = include_str!("../../budgets.toml");

#[derive(Deserialize)]
struct Budgets {
    contention: Vec<Budget>,
}

/// A ratio, where it is to be, and where the gate stands.
#[derive(Deserialize)]
pub(crate) struct Budget {
    pub(crate) name: String,
    pub(crate) command: String,
    limit: Limit,
    goal: f64,
    gate: f64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Limit {
    AtMost,
    AtLeast,
}

/// All of them.
///
/// # Errors
/// If the file is not what this program takes it to be.
pub(crate) fn read() -> Result<Vec<Budget>, toml::de::Error> {
    toml::from_str::<Budgets>(BUDGETS).map(|budgets| budgets.contention)
}

impl Budget {
    pub(crate) fn holds(&self, ratio: f64) -> bool {
        match self.limit {
            Limit::AtMost => ratio <= self.gate,
            Limit::AtLeast => ratio >= self.gate,
        }
    }

    pub(crate) fn goal(&self) -> String {
        format!("{} {}", self.sign(), self.goal)
    }

    pub(crate) fn gate(&self) -> String {
        format!("{} {}", self.sign(), self.gate)
    }

    const fn sign(&self) -> &'static str {
        match self.limit {
            Limit::AtMost => "<=",
            Limit::AtLeast => ">=",
        }
    }
}
