//! What a run has found, for people or as JSON.

use std::fmt::{self, Write};

use serde::Serialize;

use super::{machine::Machine, options::BenchOptions, seen::Seen};

/// From this share of unsent requests on, the machine did not keep up.
const TOO_MANY_UNSENT: f64 = 0.01;

/// Everything that a run has found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: &'static str,
    machine: Machine,
    rate: u64,
    connections: u16,
    duration_s: f64,
    direct: Figures,
    gateway: Figures,
    added_p50_us: f64,
    added_p99_us: f64,
    /// Processor time of the gateway for one request.
    gateway_cpu_us: f64,
    gateway_resident_kib: u64,
    /// Whether the requests were sent that were due.
    kept_up: bool,
}

#[derive(Debug, Serialize)]
struct Figures {
    requests: u64,
    per_second: f64,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    p999_us: f64,
    max_us: f64,
    /// The share of the requests that were due and not sent.
    unsent: f64,
}

impl From<&Seen> for Figures {
    fn from(seen: &Seen) -> Self {
        Self {
            requests: seen.answered(),
            per_second: seen.per_second(),
            p50_us: seen.percentile_us(50.0),
            p90_us: seen.percentile_us(90.0),
            p99_us: seen.percentile_us(99.0),
            p999_us: seen.percentile_us(99.9),
            max_us: seen.percentile_us(100.0),
            unsent: seen.unsent(),
        }
    }
}

impl Report {
    pub(super) fn new(
        options: &BenchOptions,
        machine: Machine,
        direct: &Seen,
        gateway: &Seen,
        gateway_resident_kib: u64,
    ) -> Self {
        let added = |percent| gateway.percentile_us(percent) - direct.percentile_us(percent);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            machine,
            rate: options.rate,
            connections: options.connections,
            duration_s: options.duration.as_secs_f64(),
            added_p50_us: added(50.0),
            added_p99_us: added(99.0),
            gateway_cpu_us: gateway.gateway_us(),
            gateway_resident_kib,
            kept_up: direct.unsent().max(gateway.unsent()) < TOO_MANY_UNSENT,
            direct: direct.into(),
            gateway: gateway.into(),
        }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        let mut json = serde_json::to_string(self).unwrap_or_default();
        json.push('\n');
        json
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Machine {
            processor,
            cores,
            kernel,
            load,
        } = &self.machine;
        writeln!(
            f,
            "mcp-gateway {} on {processor}, {cores} cores, Linux {kernel}, load before the run {load}",
            self.version
        )?;
        writeln!(
            f,
            "{} requests a second over {} connections for {} s, direct and through the gateway in turns;",
            self.rate, self.connections, self.duration_s
        )?;
        writeln!(
            f,
            "latencies in microseconds, counted from when a request was due\n"
        )?;
        writeln!(
            f,
            "{:<9}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "", "answers", "a second", "p50", "p90", "p99", "p99.9", "worst"
        )?;
        row(f, "direct", &self.direct)?;
        row(f, "gateway", &self.gateway)?;
        writeln!(
            f,
            "{:<9}{:>9}{:>10}{:>10.1}{:>10}{:>10.1}\n",
            "added", "", "", self.added_p50_us, "", self.added_p99_us
        )?;
        writeln!(
            f,
            "The gateway took {:.1} us of processor time a request, and holds {:.1} MiB.",
            self.gateway_cpu_us,
            mebibytes(self.gateway_resident_kib)
        )?;
        if !self.kept_up {
            writeln!(
                f,
                "Not all requests could be sent ({:.1} % direct, {:.1} % through the gateway were not), so the latencies are those of an overload. Choose a lower --rate.",
                100.0 * self.direct.unsent,
                100.0 * self.gateway.unsent
            )?;
        }
        Ok(())
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, figures: &Figures) -> fmt::Result {
    let mut line = format!(
        "{name:<9}{:>9}{:>10.0}",
        figures.requests, figures.per_second
    );
    for latency in [
        figures.p50_us,
        figures.p90_us,
        figures.p99_us,
        figures.p999_us,
        figures.max_us,
    ] {
        write!(line, "{latency:>10.1}")?;
    }
    writeln!(f, "{line}")
}

fn mebibytes(kib: u64) -> f64 {
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}
