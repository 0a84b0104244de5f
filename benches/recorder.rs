//! What one latency costs: into the thread's own shard, and beyond the last bucket.

#[path = "shared/crowd.rs"]
mod crowd;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crowd::{brief, measure};
use mcp_gateway::lockfree::{HIGHEST_US, Recorder};

fn usual(c: &mut Criterion) {
    let recorder = Recorder::new();
    measure(c, "recorder: record", |round| {
        recorder.record_success(black_box((round * 97) & 0xffff), round);
    });
}

fn clamped(c: &mut Criterion) {
    let recorder = Recorder::new();
    measure(
        c,
        "recorder: record, longer than the last bucket",
        |round| {
            recorder.record_success(black_box(HIGHEST_US + 1), round);
        },
    );
}

criterion_group!(name = recorder; config = brief(); targets = usual, clamped);
criterion_main!(recorder);
