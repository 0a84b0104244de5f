//! What the system says of this process. Where it has no `/proc`, nothing is said.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::exposition::{Exposition, Kind, Value};

/// Clock ticks a second in `/proc/self/stat`: what Linux shows to programs on every architecture it supports today.
const TICKS: f64 = 100.0;

/// Adds the process metrics under the names that Prometheus clients share
/// (<https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>). A limit that is not set is left out.
pub(super) fn write(page: &mut Exposition, started_ms: u64) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name| field(&status, name).map(|kilobytes| kilobytes * 1024);
    let limit = |resource| getrlimit(resource).current;
    let open_files = || {
        let open = fs::read_dir("/proc/self/fd").ok()?;
        u64::try_from(open.count()).ok()
    };
    let mut family = |name, kind, help, value: Option<Value>| {
        if let Some(value) = value {
            page.family(name, kind, help);
            page.sample(&[], value);
        }
    };
    let mut gauge = |name, help, number: Option<u64>| {
        family(name, Kind::Gauge, help, number.map(Value::from));
    };
    gauge(
        "process_resident_memory_bytes",
        "Resident memory.",
        kilobytes("VmRSS:"),
    );
    gauge(
        "process_virtual_memory_bytes",
        "Virtual memory.",
        kilobytes("VmSize:"),
    );
    gauge(
        "process_virtual_memory_max_bytes",
        "How large the virtual memory may grow.",
        limit(Resource::As),
    );
    gauge(
        "process_threads",
        "Threads of the process.",
        field(&status, "Threads:"),
    );
    gauge("process_open_fds", "Open file descriptors.", open_files());
    gauge(
        "process_max_fds",
        "How many file descriptors may be open.",
        limit(Resource::Nofile),
    );
    family(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process started, since the Unix epoch.",
        Some(
            std::time::Duration::from_millis(started_ms)
                .as_secs_f64()
                .into(),
        ),
    );
    family(
        "process_cpu_seconds_total",
        Kind::Counter,
        "Processor time used, by programs and system together.",
        cpu_seconds().map(Value::from),
    );
}

fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold anything; user and system time are 14 and 15.
    let after_name = stat.rsplit_once(')')?.1;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn a_field_of_the_status_is_its_number() {
        let status = "Name:\tx\nVmRSS:\t    1234 kB\nThreads:\t3\n";
        assert_eq!(field(status, "VmRSS:"), Some(1234));
        assert_eq!(field(status, "Threads:"), Some(3));
        assert_eq!(field(status, "Nothing:"), None);
    }
}
