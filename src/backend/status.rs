//! What people see of a backend.

use serde::Serialize;

use crate::failsafe::{CircuitMode, CircuitState, HealthMetrics, RecentCalls};

/// The state of a backend at one moment, as `/health` and `gateway_list_servers` show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BackendStatus {
    /// Its name.
    pub name: Box<str>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `stdio`, `streamable-http` or another name of how it is reached.
    pub transport: &'static str,
    /// One word for all below: `ready`, `idle` (no child runs and no session is open; the next call changes that), `half-open`, `open`, `failed` or `stopped`.
    pub status: &'static str,
    /// Whether a child runs or a session is open.
    pub running: bool,
    /// The breaker.
    pub circuit_state: CircuitState,
    /// Who decides on the breaker.
    pub circuit_mode: CircuitMode,
    /// The tools whose own breaker is not closed, while the backend's may be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open_tools: Vec<Box<str>>,
    /// Fewer than three failures in a row.
    pub healthy: bool,
    /// How often it was started again.
    pub restarts: u64,
    /// Calls that it is working on.
    pub in_flight: usize,
    /// Calls that wait for a place.
    pub queued: usize,
    /// Why no start is tried until somebody mends something.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permanent: Option<Box<str>>,
    /// What was written for it and is not served, each with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<Box<str>>,
    /// The last failure, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<Box<str>>,
    /// Counts and latencies.
    pub health_metrics: HealthMetrics,
    /// The last ten seconds of them.
    pub last_10s: RecentCalls,
    /// The last minute of them.
    pub last_60s: RecentCalls,
}
