//! What can be said of a run, within bounds.

use std::time::Duration;

use clap::Args;

use crate::failsafe::duration;

/// The longest run.
const LONGEST: Duration = Duration::from_secs(300);
/// The shortest one.
const SHORTEST: Duration = Duration::from_secs(1);

/// How much is asked for, how fast, and for how long.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct BenchOptions {
    /// Measures the gateway itself, before an echo that is built in; nothing else can be measured so far.
    #[arg(long = "self")]
    pub(super) own: bool,
    /// Requests a second, due at fixed times whether or not earlier ones are answered; a latency counts from when its
    /// request was due.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..=50_000))]
    pub(super) rate: u64,
    /// How long the run takes, both ways together: 1s to 5m.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = length)]
    pub(super) duration: Duration,
    /// Connections that are kept, 1 to 256.
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) connections: u16,
    /// Prints one JSON object.
    #[arg(long)]
    pub(super) json: bool,
}

fn length(text: &str) -> Result<Duration, String> {
    duration::parse(text)
        .ok()
        .filter(|length| (SHORTEST..=LONGEST).contains(length))
        .ok_or_else(|| "write a duration from 1s to 5m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_a_second_to_five_minutes() {
        assert_eq!(length("1500ms"), Ok(Duration::from_millis(1_500)));
        assert_eq!(length("5m"), Ok(LONGEST));
        for wrong in ["0", "999ms", "301s", "1h", "soon"] {
            assert!(length(wrong).is_err(), "{wrong}");
        }
    }
}
