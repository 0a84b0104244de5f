//! What the core costs in time: a call that goes, a call that is refused, a sample, a snapshot.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mcp_gateway::lockfree::{Breaker, Policy, Recorder, Settled, Verdict};

fn breaker(c: &mut Criterion) {
    let breaker = Breaker::new(Policy::default());
    c.bench_function("admit and settle, closed", |b| {
        b.iter(|| {
            let permit = breaker.admit(black_box(1));
            permit.is_ok_and(|permit| permit.success(black_box(2)) == Settled::Quiet)
        });
    });
    for _ in 0..Policy::default().failure_threshold() {
        let _ = breaker.record(Verdict::Failure, 0);
    }
    c.bench_function("refuse, open", |b| {
        b.iter(|| breaker.admit(black_box(1)).err());
    });
}

fn recorder(c: &mut Criterion) {
    let recorder = Recorder::new();
    let mut latency_us = 0_u64;
    c.bench_function("record", |b| {
        b.iter(|| {
            latency_us = (latency_us + 97) & 0xffff;
            recorder.record_success(black_box(latency_us), black_box(2));
        });
    });
    c.bench_function("snapshot", |b| b.iter(|| recorder.snapshot()));
}

fn call(c: &mut Criterion) {
    let (breaker, recorder) = (Breaker::new(Policy::default()), Recorder::new());
    c.bench_function("admit, settle and record, closed", |b| {
        b.iter(|| {
            let permit = breaker.admit(black_box(1));
            recorder.record_success(black_box(1_234), black_box(2));
            permit.is_ok_and(|permit| permit.success(black_box(2)) == Settled::Quiet)
        });
    });
}

criterion_group!(core, breaker, recorder, call);
criterion_main!(core);
