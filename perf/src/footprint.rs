//! What the gateway weighs: time to its first answer, resident memory, size on disk.

use std::{fs, io, path::Path, thread, time::Duration};

use quanta::Clock;

use crate::{compare::median, subject::Subject};

/// How long a gateway rests before its memory is read.
const REST: Duration = Duration::from_secs(2);

/// What was weighed.
pub(crate) struct Footprint {
    /// From spawning the process to its first JSON-RPC answer, without backends, one for every start.
    pub(crate) starts_ms: Vec<f64>,
    /// Resident memory at rest without backends, after one answer.
    pub(crate) idle_kib: u64,
    pub(crate) binary_bytes: u64,
}

impl Footprint {
    pub(crate) fn start_ms(&self) -> f64 {
        median(self.starts_ms.clone())
    }
}

/// Starts the gateway `starts` times and lets the last one rest.
pub(crate) fn weigh(gateway: &Path, starts: usize) -> io::Result<Footprint> {
    let mut starts_ms = Vec::with_capacity(starts);
    for _ in 0..starts {
        starts_ms.push(start(gateway)?.1);
    }
    let (last, ms) = start(gateway)?;
    starts_ms.push(ms);
    Ok(Footprint {
        starts_ms,
        idle_kib: resident_at_rest(&last)?,
        binary_bytes: fs::metadata(gateway)?.len(),
    })
}

/// Resident memory after a rest, in KiB.
pub(crate) fn resident_at_rest(subject: &Subject) -> io::Result<u64> {
    thread::sleep(REST);
    subject.process().resident_kib()
}

fn start(gateway: &Path) -> io::Result<(Subject, f64)> {
    let clock = Clock::new();
    let before = clock.raw();
    let mut subject = Subject::start(gateway, None)?;
    subject.first_answer()?;
    let taken = Duration::from_nanos(clock.delta_as_nanos(before, clock.raw()));
    Ok((subject, taken.as_secs_f64() * 1e3))
}
