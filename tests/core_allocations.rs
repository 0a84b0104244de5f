//! The core allocates nothing while a call is admitted, settled and recorded, in every state.
//! `allocation_counter` replaces the allocator of the whole process and counts per thread.

use std::thread;

use allocation_counter::measure;
use mcp_gateway::lockfree::{Breaker, HealthWord, Policy, Recorder, Verdict};

const CALLS: u64 = 1_000;

fn allocations(work: impl FnOnce()) -> u64 {
    measure(work).count_total
}

#[test]
fn the_count_itself_works() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn a_call_through_every_state_of_the_breaker_allocates_nothing() {
    let breaker = Breaker::new(Policy::default());
    let allocated = allocations(|| {
        for now_ms in (0..CALLS).map(|call| call * 1_000) {
            let Ok(permit) = breaker.admit(now_ms) else {
                continue;
            };
            // Open after five failures, closed again after three probes.
            let _ = match now_ms / 100_000 % 2 {
                0 => permit.failure(now_ms),
                _ => permit.success(now_ms),
            };
        }
    });
    assert_eq!(allocated, 0);
    assert!(breaker.view(0).generation > 4);
}

#[test]
fn health_allocates_nothing() {
    let health = HealthWord::new(3);
    let allocated = allocations(|| {
        for call in 0..CALLS {
            let _ = if call % 5 == 0 {
                health.success()
            } else {
                health.failure()
            };
        }
    });
    assert_eq!(allocated, 0);
}

#[test]
fn after_a_threads_first_record_recording_allocates_nothing() {
    let recorder = Recorder::new();
    recorder.record_success(1, 0);
    recorder.record_failure(1, 0);
    let allocated = allocations(|| {
        for us in 0..CALLS {
            recorder.record_success(us * 1_000, us);
            recorder.record_failure(us * 1_000, us);
        }
    });
    assert_eq!(allocated, 0);
    assert_eq!(recorder.counts(), (CALLS + 1, CALLS + 1));
}

#[test]
fn threads_that_follow_each_other_use_the_shards_of_those_before() {
    const SHARD_BYTES: u64 = 21_504;
    let recorder = Recorder::new();
    // This thread keeps its shard meanwhile.
    recorder.record_success(1, 0);
    let first_record = || measure(|| recorder.record_success(1, 0)).bytes_total;
    let makes_a_shard = |_: &u64| {
        let bytes = thread::scope(|scope| scope.spawn(first_record).join());
        bytes.is_ok_and(|bytes| bytes >= SHARD_BYTES)
    };
    let made = (0..CALLS).filter(makes_a_shard).count();
    // One, and as many more as threads of other tests came between.
    assert!((1..=8).contains(&made), "{made}");
}

#[test]
fn a_result_without_a_permit_allocates_nothing() {
    let breaker = Breaker::new(Policy::default());
    let allocated = allocations(|| {
        for now_ms in 0..CALLS {
            let _ = breaker.record(Verdict::Failure, now_ms);
        }
    });
    assert_eq!(allocated, 0);
}
