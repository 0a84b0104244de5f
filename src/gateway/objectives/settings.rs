//! What a backend and its tools are held to.

use std::{collections::BTreeMap, time::Duration};

/// What one backend is held to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SloSettings {
    /// The whole backend.
    pub whole: Objectives,
    /// Single tools of it, by their own names.
    pub tools: BTreeMap<Box<str>, Objectives>,
}

/// Shares of good calls, in percent, that are below 100.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Objectives {
    /// Calls that the backend answers.
    pub availability: Option<f64>,
    /// Answers that come in time.
    pub latency: Option<LatencyObjective>,
}

/// How many answers come within how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatencyObjective {
    /// What is in time.
    pub threshold: Duration,
    /// The share of answers that are, in percent.
    pub objective: f64,
}
