//! Runs the same work on several threads that start together, and lets the slowest count.

use std::{sync::Barrier, thread, time::Duration};

use criterion::Criterion;
use mcp_gateway::telemetry::Clock;

/// Criterion with so little patience that all benches together take a few minutes.
pub(crate) fn brief() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(20)
        .without_plots()
}

/// Measures `work` alone, on two threads, and on twice as many as there are cores. `work` is told which of its rounds this is.
/// A figure is the time of one round on the slowest thread; where threads outnumber cores that includes waiting for a core.
pub(crate) fn measure(c: &mut Criterion, name: &str, work: impl Fn(u64) + Sync) {
    let mut group = c.benchmark_group(name);
    for threads in crowds() {
        group.bench_function(format!("threads: {threads}"), |bencher| {
            bencher.iter_custom(|rounds| slowest(threads, rounds, &work));
        });
    }
}

fn crowds() -> [usize; 3] {
    let cores = thread::available_parallelism().map_or(2, usize::from);
    [1, 2, 2 * cores]
}

/// The time that the slowest of `threads` takes for `rounds` rounds. Each has done one before, so that what a thread's
/// first round makes is there.
fn slowest(threads: usize, rounds: u64, work: &(impl Fn(u64) + Sync)) -> Duration {
    let clock = Clock::new();
    let together = Barrier::new(threads);
    let timed = || {
        work(0);
        together.wait();
        let started = clock.now();
        (0..rounds).for_each(work);
        clock.now().since(started)
    };
    thread::scope(|scope| {
        let crowd: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        let times = crowd.into_iter().filter_map(|one| one.join().ok());
        times.max().unwrap_or_default()
    })
}
