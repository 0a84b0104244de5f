//! What a look at sixteen shards costs: merged with its three quantiles, and only counted.

#[path = "shared/crowd.rs"]
mod crowd;
#[path = "shared/sixteen.rs"]
mod sixteen;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crowd::{brief, measure};
use sixteen::sixteen_shards;

fn quantiles(c: &mut Criterion) {
    let recorder = sixteen_shards();
    measure(c, "snapshot: p50, p95 and p99 of 16 shards", |_| {
        let snapshot = recorder.snapshot();
        let latencies = snapshot.successes();
        black_box([0.5, 0.95, 0.99].map(|quantile| latencies.value_at_quantile(quantile)));
    });
}

fn counts(c: &mut Criterion) {
    let recorder = sixteen_shards();
    measure(c, "snapshot: counts of 16 shards", |_| {
        black_box(recorder.counts());
    });
}

criterion_group!(name = snapshot; config = brief(); targets = quantiles, counts);
criterion_main!(snapshot);
