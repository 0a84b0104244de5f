//! What the system says of this process. Where it has no `/proc`, nothing is said.

use std::fs;

use super::exposition::Exposition;

/// Clock ticks a second in `/proc/self/stat`: what Linux shows to programs on every architecture it supports today.
const TICKS: f64 = 100.0;

/// Adds the process metrics under the names that Prometheus clients share.
pub(super) fn write(page: &mut Exposition, started_ms: u64) {
    page.family(
        "process_start_time_seconds",
        "gauge",
        "When the process started, in seconds since the Unix epoch.",
    );
    let started = std::time::Duration::from_millis(started_ms).as_secs_f64();
    page.sample(&[], started);
    if let Some(seconds) = cpu_seconds() {
        let help = "Processor time used, in seconds.";
        page.family("process_cpu_seconds_total", "counter", help);
        page.sample(&[], seconds);
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kilobytes) = field(&status, "VmRSS:") {
        let help = "Resident memory, in bytes.";
        page.family("process_resident_memory_bytes", "gauge", help);
        page.sample(&[], kilobytes * 1024);
    }
    if let Some(threads) = field(&status, "Threads:") {
        page.family("process_threads", "gauge", "Threads of the process.");
        page.sample(&[], threads);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        page.family("process_open_fds", "gauge", "Open file descriptors.");
        page.sample(&[], open.count());
    }
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
