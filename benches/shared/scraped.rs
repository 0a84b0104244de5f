//! A gateway whose page has many histograms, each with a hundred latencies.

use std::{sync::Arc, time::Duration};

use mcp_gateway::{
    backend::{Backend, BackendSettings, StdioSettings, TransportSettings},
    gateway::{Gateway, GatewaySettings},
    telemetry::{Clock, clock::micros},
};

/// A gateway with so many backends, each with two histograms: its latency and its queue. None of them runs.
pub(crate) fn gateway_of(backends: u32) -> Arc<Gateway> {
    let clock = Clock::new();
    let backends = (0..backends).map(|number| measured(number, &clock));
    Gateway::new(
        GatewaySettings::default(),
        backends.collect(),
        clock.clone(),
    )
}

fn measured(number: u32, clock: &Clock) -> Arc<Backend> {
    let child = StdioSettings::new("never-started", &[]);
    let name = format!("backend-number-{number}");
    let settings = BackendSettings::new(name, TransportSettings::Stdio(child));
    let backend = Backend::new(settings, clock.clone());
    for place in 0..100_u32 {
        // From a millisecond on, as latencies of one tool are: most within a factor of four, a few far above.
        let spread = 1 + place * place / 2_000 * place / 20;
        let latency = Duration::from_micros(1_000 + u64::from(place * 37 * spread));
        let health = &backend.failsafe().health_tracker;
        health.record_success(latency);
        backend.queue_wait().record_success(micros(latency), 0);
    }
    backend
}
