//! `/health`, `/health/backends` and `/metrics.json`: how the backends do, as JSON.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::{
    backend::BackendStatus,
    failsafe::{CircuitState, HealthMetrics, Why},
    gateway::{
        Caller, Refusal, facade::Gateway, member::Member, reload::ConfigStatus, table::Table,
    },
};

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    version: &'static str,
    config: ConfigStatus,
    backends: BTreeMap<&'a str, BackendStatus>,
}

#[derive(Serialize)]
struct Metrics<'a> {
    backends: BTreeMap<&'a str, BackendMetrics>,
}

#[derive(Serialize)]
struct BackendMetrics {
    health: HealthMetrics,
    circuit_state: CircuitState,
    request_count: u64,
}

impl Gateway {
    /// The page `/health` and its HTTP status: 200 while every backend that was called works, else 503.
    #[must_use]
    pub fn health(&self) -> (u16, Bytes) {
        let table = self.table();
        let backends = by_name(&table, |member| member.backend().status());
        let (code, status) = if self.is_draining() {
            (503, "draining")
        } else if backends.values().all(is_well) {
            (200, "healthy")
        } else {
            (503, "degraded")
        };
        let page = Health {
            status,
            version: env!("CARGO_PKG_VERSION"),
            config: self.config_status(),
            backends,
        };
        (code, json(&page))
    }

    /// The page `/health/backends`: each backend's counts and latencies under its name, and those of whom a part of this
    /// program calls itself under `BACKEND/PART`.
    #[must_use]
    pub fn backends_health(&self) -> Bytes {
        let table = self.table();
        let mut page: BTreeMap<Box<str>, HealthMetrics> = BTreeMap::new();
        for member in table.members() {
            let backend = member.backend();
            page.insert(member.name().into(), backend.failsafe().health_metrics());
            let Some(provider) = backend.settings().provider() else {
                continue;
            };
            let below = |name: &str| format!("{}/{name}", member.name()).into();
            for part in provider.parts() {
                page.insert(below(&part.name), part.health);
            }
            for callee in provider.callees() {
                page.insert(below(&callee.name), callee.failsafe.health_metrics());
            }
        }
        json(&page)
    }

    /// Why calls to a backend flow or do not, with its last calls.
    ///
    /// # Errors
    /// If there is no such backend, or the caller may not use it.
    pub fn why(&self, name: &str, caller: &Caller) -> Result<Why, Refusal> {
        let table = self.table();
        let member = table.endpoint(name, caller)?;
        Ok(member.backend().failsafe().why())
    }

    /// The page `/metrics.json`.
    #[must_use]
    pub fn metrics_json(&self) -> Bytes {
        let table = self.table();
        let backends = by_name(&table, |member| BackendMetrics {
            health: member.backend().failsafe().health_metrics(),
            circuit_state: member.backend().failsafe().circuit_breaker.state(),
            request_count: member.request_count(),
        });
        json(&Metrics { backends })
    }
}

fn by_name<T>(table: &Table, show: impl Fn(&Member) -> T) -> BTreeMap<&str, T> {
    table
        .members()
        .iter()
        .map(|member| (member.name(), show(member)))
        .collect()
}

/// A backend that an operator stopped is not ill.
fn is_well(status: &BackendStatus) -> bool {
    let works = status.healthy && status.circuit_state == CircuitState::Closed;
    (works && status.permanent.is_none()) || status.status == "stopped"
}

fn json(page: &impl Serialize) -> Bytes {
    serde_json::to_vec(page).unwrap_or_default().into()
}
