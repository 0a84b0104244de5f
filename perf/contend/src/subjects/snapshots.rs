//! Three quantiles of what sixteen threads have recorded, from everybody's own way of keeping it.

use std::{hint::black_box, sync::Mutex};

use hdrhistogram::Histogram;
use mcp_gateway::lockfree::HIGHEST_US;

use super::sixteen::{latency_us, sixteen_shards};
use crate::subject::{Group, Subject, shared};

const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];
const THREADS: u64 = 16;
const EACH: u64 = 1_000;

pub(super) fn all() -> Vec<Subject> {
    let subjects = [Some(core()), merged(), Some(sorted())];
    subjects.into_iter().flatten().collect()
}

fn core() -> Subject {
    let recorder = shared(sixteen_shards());
    Subject::on(
        Group::Snapshot,
        "core, 16 shards",
        recorder,
        |recorder, _| {
            let snapshot = recorder.snapshot();
            let latencies = snapshot.successes();
            black_box(QUANTILES.map(|quantile| latencies.value_at_quantile(quantile)));
        },
    )
}

/// The same sixteen as histograms of the same layout, merged by their own means.
fn merged() -> Option<Subject> {
    let histograms: Option<Vec<_>> = (0..THREADS).map(of_one_thread).collect();
    let name = "hdrhistogram, 16 merged";
    Some(Subject::on(
        Group::Snapshot,
        name,
        shared(histograms?),
        |histograms, _| {
            let mut all = Histogram::<u64>::new_from(&histograms[0]);
            for histogram in histograms {
                black_box(all.add(histogram).is_ok());
            }
            black_box(QUANTILES.map(|quantile| all.value_at_quantile(quantile)));
        },
    ))
}

fn of_one_thread(thread: u64) -> Option<Histogram<u64>> {
    let mut histogram = Histogram::new_with_bounds(1, HIGHEST_US, 2).ok()?;
    for number in 0..EACH {
        histogram.saturating_record(latency_us(number * THREADS + thread));
    }
    Some(histogram)
}

/// The usual shape keeps a thousand in all, of whichever threads were last, and sorts a copy.
fn sorted() -> Subject {
    let samples: Vec<_> = (0..EACH).map(latency_us).collect();
    let name = "locked vector of 1,000, copied and sorted";
    Subject::on(
        Group::Snapshot,
        name,
        shared(Mutex::new(samples)),
        |samples, _| {
            let copy = samples.lock().map(|samples| samples.clone());
            let mut sorted = copy.unwrap_or_default();
            sorted.sort_unstable();
            black_box([500, 950, 990].map(|index| sorted.get(index).copied()));
        },
    )
}
