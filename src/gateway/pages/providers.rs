//! What `/metrics` says of those whom a part of this program calls, such as the APIs of capabilities.

use super::{
    exposition::{Exposition, Kind as Of},
    metrics::number,
};
use crate::{backend::Callee, gateway::table::Table};

/// Writes the families, where there is somebody. Their names come from the configuration.
pub(super) fn write(page: &mut Exposition, table: &Table) {
    let mut callees: Vec<(&str, Callee)> = Vec::new();
    for member in table.members() {
        let provider = member.backend().settings().provider();
        let each = provider.map(|provider| provider.callees());
        let each = each.unwrap_or_default().into_iter();
        callees.extend(each.map(|callee| (member.name(), callee)));
    }
    if callees.is_empty() {
        return;
    }
    page.family(
        "mcp_provider_request_duration_seconds",
        Of::Histogram,
        "How long a provider of capabilities took, for those that were called.",
    );
    for (backend, callee) in &callees {
        let recorder = callee.failsafe.health_tracker.recorder();
        page.histogram(&labels(backend, callee), recorder);
    }
    page.family(
        "mcp_provider_failures_total",
        Of::Counter,
        "Calls that a provider of capabilities has failed.",
    );
    for (backend, callee) in &callees {
        let failures = callee.failsafe.health_tracker.snapshot().failures().len();
        page.sample(&labels(backend, callee), failures);
    }
    page.family(
        "mcp_provider_circuit_state",
        Of::Gauge,
        "The circuit breaker of a provider of capabilities: 0 closed, 1 half-open, 2 open.",
    );
    for (backend, callee) in &callees {
        let state = number(callee.failsafe.circuit_breaker.state());
        page.sample(&labels(backend, callee), state);
    }
}

fn labels<'a>(backend: &'a str, callee: &'a Callee) -> [(&'static str, &'a str); 2] {
    [("backend", backend), ("provider", &callee.name)]
}
