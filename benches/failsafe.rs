//! What one guarded call costs: the core alone, the facade with its two clock reads, the same without a ticket, and a refusal.

#[path = "shared/crowd.rs"]
mod crowd;

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use crowd::{brief, measure};
use mcp_gateway::{
    failsafe::{Failsafe, FailsafeConfig, Outcome},
    lockfree::{Breaker, Policy, Recorder, Settled},
    telemetry::Clock,
};

fn core(c: &mut Criterion) {
    let (breaker, recorder) = (Breaker::new(Policy::default()), Recorder::new());
    measure(c, "failsafe: core call", |now_ms| {
        let permit = breaker.admit(black_box(now_ms));
        recorder.record_success(black_box(1_234), now_ms);
        let quiet = permit.is_ok_and(|permit| permit.success(now_ms) == Settled::Quiet);
        black_box(quiet);
    });
}

fn ticket(c: &mut Criterion) {
    let clock = Clock::new();
    let failsafe = Failsafe::with_clock("bench", &FailsafeConfig::default(), clock.clone());
    measure(c, "failsafe: call with a ticket", |_| {
        if let Ok(ticket) = failsafe.admit(clock.now()) {
            ticket.settle(Outcome::Success, &"", clock.now());
        }
    });
}

fn reported(c: &mut Criterion) {
    let failsafe = Failsafe::new("bench", &FailsafeConfig::default());
    measure(c, "failsafe: call reported by hand", |_| {
        if failsafe.can_proceed() {
            failsafe.record_success(black_box(Duration::from_micros(1_234)));
        }
    });
}

fn refused(c: &mut Criterion) {
    let clock = Clock::new();
    let failsafe = Failsafe::with_clock("bench", &FailsafeConfig::default(), clock.clone());
    failsafe.circuit_breaker.force_open();
    measure(c, "failsafe: refusal with its cause", |_| {
        black_box(failsafe.admit(clock.now()).is_err());
    });
}

criterion_group!(name = failsafe; config = brief(); targets = core, ticket, reported, refused);
criterion_main!(failsafe);
