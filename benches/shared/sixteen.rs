//! A recorder that sixteen threads have written to.

use std::{sync::Barrier, thread};

use mcp_gateway::lockfree::Recorder;

const THREADS: u64 = 16;
const SAMPLES: u64 = 1_000;

/// A recorder of sixteen shards, each with a thousand latencies from 100 us to 100 ms, as many in each tenfold as in the next.
pub(crate) fn sixteen_shards() -> Recorder {
    let recorder = Recorder::new();
    // All live at the same time, so that each leases a shard of its own.
    let together = Barrier::new(16);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (recorder, together) = (&recorder, &together);
            scope.spawn(move || {
                recorder.record_success(latency_us(thread), 0);
                together.wait();
                (1..SAMPLES)
                    .for_each(|n| recorder.record_success(latency_us(n * THREADS + thread), n));
            });
        }
    });
    recorder
}

/// The `n`th of all latencies, in microseconds.
pub(crate) fn latency_us(n: u64) -> u64 {
    let (decade, place) = (n % 3, n / 3 * 7919 % 900);
    (100 + place) * 10_u64.pow(u32::try_from(decade).unwrap_or(0))
}
