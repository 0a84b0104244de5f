//! What the breaker costs: a call that goes, a call that is refused, results that change the word.

#[path = "shared/crowd.rs"]
mod crowd;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use crowd::{brief, measure};
use mcp_gateway::lockfree::{Breaker, Mode, Policy, Settled, Verdict};

fn closed(c: &mut Criterion) {
    let breaker = Breaker::new(Policy::default());
    measure(c, "breaker: admit and settle, closed", |now_ms| {
        let permit = breaker.admit(black_box(now_ms));
        let quiet = permit.is_ok_and(|permit| permit.success(now_ms) == Settled::Quiet);
        black_box(quiet);
    });
}

fn open(c: &mut Criterion) {
    let breaker = Breaker::new(Policy::default());
    for _ in 0..Policy::default().failure_threshold() {
        let _ = breaker.record(Verdict::Failure, 0);
    }
    measure(c, "breaker: refuse, open", |_| {
        black_box(breaker.admit(black_box(1)).is_err());
    });
}

/// Every result writes the word: what a success never does while no failure is on record.
fn failing(c: &mut Criterion) {
    let breaker = Breaker::new(Policy::default());
    breaker.force(Mode::ForcedClosed, 0);
    measure(c, "breaker: a failure and a success, closed", |now_ms| {
        black_box(breaker.record(Verdict::Failure, now_ms) == Settled::Quiet);
        black_box(breaker.record(Verdict::Success, now_ms) == Settled::Quiet);
    });
}

criterion_group!(name = breaker; config = brief(); targets = closed, open, failing);
criterion_main!(breaker);
