//! What `perf/budgets.toml` says, and whether a figure keeps within it.

use serde::Deserialize;

use crate::{
    contention,
    row::{Held, Row},
};

const BUDGETS: &str = include_str!("../../perf/budgets.toml");

/// The budgets that are no contention, by how they are measured.
#[derive(Deserialize)]
pub(crate) struct Budgets {
    pub(crate) instructions: Vec<Instructions>,
    pub(crate) ratio: Vec<Ratio>,
}

/// A count that was measured, and by how much it may grow before somebody must look.
#[derive(Deserialize)]
pub(crate) struct Instructions {
    pub(crate) name: String,
    command: String,
    goal: Option<u64>,
    count: u64,
    tolerance_percent: u64,
}

/// A ratio that no bench measures, but a command of its own.
#[derive(Deserialize)]
pub(crate) struct Ratio {
    name: String,
    command: String,
    goal: f64,
    gate: f64,
}

impl Budgets {
    pub(crate) fn read() -> Result<Self, toml::de::Error> {
        toml::from_str(BUDGETS)
    }
}

impl Instructions {
    /// The count is exact, so what the tolerance gives is rounded down.
    pub(crate) fn row(&self, measured: Option<u64>) -> Row {
        let most = self.count + self.count * self.tolerance_percent / 100;
        Row {
            name: self.name.clone(),
            goal: self.goal.map_or(String::new(), |goal| format!("<= {goal}")),
            gate: format!("<= {most}"),
            measured: measured.map_or(String::new(), |count| format!("{count} instructions")),
            held: Held::of(measured.map(|count| count <= most)),
            command: self.command.clone(),
        }
    }
}

impl contention::Budget {
    pub(crate) fn row(&self, measured: Option<f64>) -> Row {
        Row {
            name: self.name.clone(),
            goal: self.goal(),
            gate: self.gate(),
            measured: measured.map_or(String::new(), |ratio| format!("{ratio:.2}")),
            held: Held::of(measured.map(|ratio| self.holds(ratio))),
            command: self.command.clone(),
        }
    }
}

impl Ratio {
    pub(crate) fn row(&self) -> Row {
        Row {
            name: self.name.clone(),
            goal: format!("<= {}", self.goal),
            gate: format!("<= {}", self.gate),
            measured: String::new(),
            held: Held::NotMeasured,
            command: self.command.clone(),
        }
    }
}
