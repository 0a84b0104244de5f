//! What is counted: each function bears the name of its budget.

use std::hint::black_box;

use bytes::Bytes;
use gungraun::{library_benchmark, library_benchmark_group, main};
use mcp_gateway::{
    failsafe::{Failsafe, FailsafeConfig, Outcome},
    gateway::{Gateway, MetricsFormat},
    lockfree::{
        Breaker, FlightEntry, FlightRecorder, HealthChange, HealthWord, Policy, Recorder, Refused,
        Settled, Verdict,
    },
    protocol::Message,
    telemetry::Stamp,
};

use crate::{calls, scraped::gateway_of, sixteen::sixteen_shards};

/// What a call touches. The numbers lie in memory, so that the compiler cannot know them.
struct Backend {
    breaker: Breaker,
    tool: Breaker,
    recorder: Recorder,
    flight: FlightRecorder,
    health: HealthWord,
    failsafe: Failsafe,
    started: Stamp,
    ended: Stamp,
    started_ms: u64,
    ended_ms: u64,
    latency_us: u64,
}

/// Leaked, so that only the calls are counted, not the end of what they were made on.
fn healthy() -> &'static Backend {
    let backend = Backend {
        breaker: Breaker::new(Policy::default()),
        tool: Breaker::new(Policy::default()),
        recorder: Recorder::new(),
        flight: FlightRecorder::new(),
        health: HealthWord::new(3),
        failsafe: Failsafe::new("bench", &FailsafeConfig::default()),
        started: Stamp::from_nanos(1_000_000),
        ended: Stamp::from_nanos(2_234_000),
        started_ms: 1,
        ended_ms: 2,
        latency_us: 1_234,
    };
    // A thread's first record makes its shard, its first entry its ring.
    backend.recorder.record_success(1_000, 0);
    backend.flight.record(&FlightEntry::default());
    if let Ok(ticket) = backend.failsafe.admit(backend.started) {
        ticket.settle(Outcome::Success, &"", backend.ended);
    }
    black_box(Box::leak(Box::new(backend)))
}

fn failing() -> &'static Backend {
    let backend = healthy();
    for _ in 0..Policy::default().failure_threshold() {
        let _ = backend.breaker.record(Verdict::Failure, 0);
    }
    backend
}

fn busy() -> &'static Recorder {
    black_box(Box::leak(Box::new(sixteen_shards())))
}

#[library_benchmark]
#[bench::closed(healthy())]
fn core_call(backend: &'static Backend) -> bool {
    let Ok(permit) = backend.breaker.admit(backend.started_ms) else {
        return false;
    };
    let ended_ms = backend.ended_ms;
    let settled = permit.success(ended_ms);
    backend
        .recorder
        .record_success(backend.latency_us, ended_ms);
    settled == Settled::Quiet
}

#[library_benchmark]
#[bench::closed(healthy())]
fn core_call_full(backend: &'static Backend) -> bool {
    let Ok(permit) = backend.breaker.admit(backend.started_ms) else {
        return false;
    };
    let Ok(of_tool) = backend.tool.admit(backend.started_ms) else {
        return false;
    };
    let (at_ms, latency_us) = (backend.ended_ms, backend.latency_us);
    let settled = permit.success(at_ms) == Settled::Quiet;
    let settled = of_tool.success(at_ms) == Settled::Quiet && settled;
    backend.recorder.record_success(latency_us, at_ms);
    backend.flight.record(&FlightEntry {
        at_ms,
        latency_us,
        tag: 1,
        id: u128::from(latency_us),
    });
    settled
}

#[library_benchmark]
#[bench::closed(healthy())]
fn core_admit_settle(backend: &'static Backend) -> bool {
    let Ok(permit) = backend.breaker.admit(backend.started_ms) else {
        return false;
    };
    permit.success(backend.ended_ms) == Settled::Quiet
}

#[library_benchmark]
#[bench::closed(healthy())]
fn core_admit(backend: &'static Backend) -> bool {
    let admitted = backend.breaker.admit(backend.started_ms);
    admitted.map(|permit| permit.detach()).is_ok()
}

#[library_benchmark]
#[bench::open(failing())]
fn core_refuse(backend: &'static Backend) -> Option<Refused> {
    backend.breaker.admit(backend.started_ms).err()
}

#[library_benchmark]
#[bench::closed(healthy())]
fn core_record(backend: &'static Backend) {
    let ended_ms = backend.ended_ms;
    backend
        .recorder
        .record_success(backend.latency_us, ended_ms);
}

#[library_benchmark]
#[bench::healthy(healthy())]
fn health_success(backend: &'static Backend) -> Option<HealthChange> {
    backend.health.success()
}

#[library_benchmark]
#[bench::sixteen_shards(busy())]
fn snapshot_quantiles(recorder: &'static Recorder) -> [u64; 3] {
    let snapshot = recorder.snapshot();
    [0.5, 0.95, 0.99].map(|quantile| snapshot.successes().value_at_quantile(quantile))
}

fn watched() -> &'static Gateway {
    let gateway: &'static Gateway = Box::leak(Box::new(gateway_of(50)));
    // The first page makes what all further ones use.
    black_box(gateway.metrics(MetricsFormat::Protobuf));
    black_box(gateway)
}

#[library_benchmark]
#[bench::hundred_histograms(watched())]
fn scrape_text(gateway: &'static Gateway) -> Bytes {
    gateway.metrics(MetricsFormat::Text)
}

#[library_benchmark]
#[bench::hundred_histograms(watched())]
fn scrape_protobuf(gateway: &'static Gateway) -> Bytes {
    gateway.metrics(MetricsFormat::Protobuf)
}

#[library_benchmark]
#[bench::closed(healthy())]
fn failsafe_call(backend: &'static Backend) -> bool {
    let Ok(ticket) = backend.failsafe.admit(backend.started) else {
        return false;
    };
    ticket.settle(Outcome::Success, &"", backend.ended);
    true
}

#[library_benchmark]
#[bench::small(calls::small())]
fn scan_tools_call(bytes: Bytes) -> Option<Message> {
    Message::parse(bytes).ok()
}

#[library_benchmark]
#[bench::large(calls::large())]
fn scan_64_kib(bytes: Bytes) -> Option<Message> {
    Message::parse(bytes).ok()
}

library_benchmark_group!(
    name = counts,
    benchmarks = [
        core_call,
        core_call_full,
        core_admit_settle,
        core_admit,
        core_refuse,
        core_record,
        health_success,
        snapshot_quantiles,
        scrape_text,
        scrape_protobuf,
        failsafe_call,
        scan_tools_call,
        scan_64_kib
    ]
);
main!(library_benchmark_groups = counts);

/// What `main!` made: counts, or, started by the runner, does what is counted.
pub(super) fn run() {
    main();
}
