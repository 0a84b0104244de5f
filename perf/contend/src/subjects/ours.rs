//! Ours: the core, to which time is handed in, and the facade, which reads the clock.

use std::hint::black_box;

use mcp_gateway::{
    failsafe::{CircuitBreaker, CircuitBreakerConfig, Failsafe, FailsafeConfig, Outcome},
    lockfree::{Breaker, Policy, Recorder, Settled, Verdict},
    telemetry::Clock,
};

use super::all::latency_us;
use crate::subject::{Group, Subject, shared};

pub(super) fn all() -> Vec<Subject> {
    vec![
        core_call(),
        facade_call(),
        core_breaker(),
        facade_breaker(),
        core_admit(),
        core_refusal(),
        facade_refusal(),
        core_record(Group::Record),
        core_record_beside_reader(),
    ]
}

fn core_call() -> Subject {
    let state = shared((Breaker::new(Policy::default()), Recorder::new()));
    Subject::on(Group::Call, "core", state, |(breaker, recorder), number| {
        if let Ok(permit) = breaker.admit(black_box(number)) {
            black_box(permit.success(number) == Settled::Quiet);
            recorder.record_success(latency_us(number), number);
        }
    })
}

fn facade_call() -> Subject {
    let clock = Clock::new();
    let failsafe = Failsafe::with_clock("bench", &FailsafeConfig::default(), clock.clone());
    let state = shared((failsafe, clock));
    let name = "facade, with its two reads of the clock";
    Subject::on(Group::Call, name, state, |(failsafe, clock), _| {
        if let Ok(ticket) = failsafe.admit(clock.now()) {
            ticket.settle(Outcome::Success, &"", clock.now());
        }
    })
}

fn core_breaker() -> Subject {
    let state = shared(Breaker::new(Policy::default()));
    Subject::on(Group::Breaker, "core", state, |breaker, number| {
        if let Ok(permit) = breaker.admit(black_box(number)) {
            black_box(permit.success(number) == Settled::Quiet);
        }
    })
}

fn facade_breaker() -> Subject {
    let state = shared(CircuitBreaker::new(
        "bench",
        &CircuitBreakerConfig::default(),
    ));
    let name = "facade, with a read of the clock";
    Subject::on(Group::Breaker, name, state, |breaker, _| {
        if let Ok(permit) = breaker.try_acquire() {
            permit.success(black_box(std::time::Duration::from_micros(100)));
        }
    })
}

fn core_admit() -> Subject {
    let state = shared(Breaker::new(Policy::default()));
    Subject::on(Group::Refusal, "core, closed", state, |breaker, number| {
        black_box(
            breaker
                .admit(black_box(number))
                .map(|permit| permit.detach())
                .is_ok(),
        );
    })
}

fn core_refusal() -> Subject {
    let breaker = Breaker::new(Policy::default());
    for _ in 0..Policy::default().failure_threshold() {
        let _ = breaker.record(Verdict::Failure, 0);
    }
    Subject::on(
        Group::Refusal,
        "core, open",
        shared(breaker),
        |breaker, _| {
            let refused = breaker.admit(black_box(1)).err();
            black_box(refused.map(|refused| refused.retry_after_ms));
        },
    )
}

fn facade_refusal() -> Subject {
    let breaker = CircuitBreaker::new("bench", &CircuitBreakerConfig::default());
    breaker.force_open();
    let name = "facade, open: counts the refusal and tells since when and why";
    Subject::on(Group::Refusal, name, shared(breaker), |breaker, _| {
        black_box(breaker.try_acquire().is_err());
    })
}

fn core_record(group: Group) -> Subject {
    record_on(group, shared(Recorder::new()))
}

fn core_record_beside_reader() -> Subject {
    let recorder = shared(Recorder::new());
    record_on(Group::BesideReader, recorder).beside(|| {
        black_box(recorder.snapshot());
    })
}

fn record_on(group: Group, recorder: &'static Recorder) -> Subject {
    Subject::on(group, "core", recorder, |recorder, number| {
        recorder.record_success(black_box(latency_us(number)), number);
    })
}
