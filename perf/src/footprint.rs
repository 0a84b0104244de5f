//! What the gateway weighs: time to its first answer, resident memory, size on disk.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use clap::Args;
use quanta::Clock;

use crate::{
    compare::median,
    machine,
    subject::{Gateway, build},
};

/// How long a gateway rests before its memory is read.
const REST: Duration = Duration::from_secs(2);

/// Start, memory at rest and size of the gateway, without backends.
#[derive(Args, Clone, Debug)]
pub(crate) struct Footprint {
    /// The gateway to weigh; without it the release build is made and weighed.
    #[arg(long)]
    gateway: Option<PathBuf>,
    /// Starts that are timed.
    #[arg(long, default_value_t = 21)]
    starts: usize,
}

/// Starts the gateway many times, lets the last one rest, and prints what was found.
pub(crate) fn run(footprint: &Footprint) -> io::Result<()> {
    let gateway = footprint.gateway.clone().map_or_else(build, Ok)?;
    let mut starts_ms = Vec::with_capacity(footprint.starts);
    for _ in 0..footprint.starts {
        starts_ms.push(start(&gateway)?.1);
    }
    let (last, ms) = start(&gateway)?;
    starts_ms.push(ms);
    thread::sleep(REST);
    let worst = starts_ms.iter().copied().fold(0.0, f64::max);
    writeln!(
        io::stdout(),
        "{}\nstart to first answer: median {:.1} ms, worst {worst:.1} ms of {} starts\n\
         resident memory at rest: {}\nbinary: {}",
        machine::describe(),
        median(starts_ms.clone()),
        starts_ms.len(),
        mebibytes(last.account().resident_kib()? * 1024),
        mebibytes(fs::metadata(gateway)?.len()),
    )
}

fn start(gateway: &Path) -> io::Result<(Gateway, f64)> {
    let clock = Clock::new();
    let before = clock.raw();
    let mut gateway = Gateway::bare(gateway)?;
    gateway.first_answer()?;
    let taken = Duration::from_nanos(clock.delta_as_nanos(before, clock.raw()));
    Ok((gateway, taken.as_secs_f64() * 1e3))
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}
