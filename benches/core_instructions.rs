//! What the core costs in instructions, held to `perf/budgets.toml`: over a budget, this bench fails.
//!
//! Needs valgrind, and `cargo install iai-callgrind-runner --version 0.16.1 --locked`.

#![expect(missing_docs, reason = "what the macros make has no place for docs")]

use std::hint::black_box;

use iai_callgrind::{
    Callgrind, EventKind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main,
};
use mcp_gateway::lockfree::{Breaker, Policy, Recorder, Refused, Settled, Verdict};
use serde::Deserialize;

const BUDGETS: &str = include_str!("../perf/budgets.toml");

/// The part of `perf/budgets.toml` that this bench keeps.
#[derive(Deserialize)]
struct Budgets {
    instructions: Vec<Budget>,
}

#[derive(Deserialize)]
struct Budget {
    name: String,
    count: u64,
    tolerance_percent: u64,
}

/// Fails the run above the budget of that name; with no such budget, at the first instruction.
fn within(name: &str) -> LibraryBenchmarkConfig {
    let limit = toml::from_str::<Budgets>(BUDGETS).ok().and_then(|budgets| {
        let budget = budgets.instructions.into_iter().find(|b| b.name == name)?;
        Some(budget.count + budget.count * budget.tolerance_percent / 100)
    });
    let mut callgrind = Callgrind::default();
    callgrind.hard_limits([(EventKind::Ir, limit.unwrap_or(0))]);
    let mut config = LibraryBenchmarkConfig::default();
    config.tool(callgrind);
    config
}

/// What a call touches. The numbers lie in memory, so that the compiler cannot know them.
struct Backend {
    breaker: Breaker,
    recorder: Recorder,
    started_ms: u64,
    ended_ms: u64,
    latency_us: u64,
}

/// Leaked, so that only the calls are counted, not the end of what they were made on.
fn healthy() -> &'static Backend {
    let backend = Backend {
        breaker: Breaker::new(Policy::default()),
        recorder: Recorder::new(),
        started_ms: 1,
        ended_ms: 2,
        latency_us: 1_234,
    };
    // A thread's first record makes its shard.
    backend.recorder.record_success(1_000, 0);
    black_box(Box::leak(Box::new(backend)))
}

fn failing() -> &'static Backend {
    let backend = healthy();
    for _ in 0..Policy::default().failure_threshold() {
        let _ = backend.breaker.record(Verdict::Failure, 0);
    }
    backend
}

#[library_benchmark(config = within("core_call"))]
#[bench::closed(healthy())]
fn admit_settle_record(backend: &'static Backend) -> bool {
    let Ok(permit) = backend.breaker.admit(backend.started_ms) else {
        return false;
    };
    let ended_ms = backend.ended_ms;
    backend
        .recorder
        .record_success(backend.latency_us, ended_ms);
    permit.success(ended_ms) == Settled::Quiet
}

#[library_benchmark(config = within("core_admit_settle"))]
#[bench::closed(healthy())]
fn admit_settle(backend: &'static Backend) -> bool {
    let Ok(permit) = backend.breaker.admit(backend.started_ms) else {
        return false;
    };
    permit.success(backend.ended_ms) == Settled::Quiet
}

#[library_benchmark(config = within("core_record"))]
#[bench::closed(healthy())]
fn record(backend: &'static Backend) {
    let ended_ms = backend.ended_ms;
    backend
        .recorder
        .record_success(backend.latency_us, ended_ms);
}

#[library_benchmark(config = within("core_refuse"))]
#[bench::open(failing())]
fn refuse(backend: &'static Backend) -> Option<Refused> {
    backend.breaker.admit(backend.started_ms).err()
}

library_benchmark_group!(
    name = core;
    benchmarks = admit_settle_record, admit_settle, record, refuse
);
main!(library_benchmark_groups = core);
