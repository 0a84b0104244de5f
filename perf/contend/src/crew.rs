//! Threads that stay on their cores, start together, and know when they were disturbed.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use mcp_gateway::telemetry::Clock;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::{start_line::StartLine, subject::Subject, switches::Switches};

/// A batch is to take about this long: long beside a read of the clock, short beside the time between two interruptions.
const BATCH: Duration = Duration::from_micros(50);
const MOST_CALLS: u32 = 1 << 20;
const TRIES: u32 = 5;

/// The cores to stay on, one a thread.
pub(crate) struct Crew {
    cores: Vec<usize>,
    clock: Clock,
}

/// So many calls in a batch, and so many batches.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) calls: u32,
    pub(crate) batches: u32,
}

/// One batch on one thread.
struct Batch {
    took: Duration,
    disturbed: bool,
}

impl Crew {
    /// # Errors
    /// If this process cannot learn its cores, or a thread whether it was disturbed.
    pub(crate) fn new() -> io::Result<Self> {
        Switches::of_this_thread()?
            .count()
            .ok_or_else(|| io::Error::other("the kernel does not count switches of threads"))?;
        let allowed = sched_getaffinity(None)?;
        let cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        Ok(Self {
            cores: cores.take(2).collect(),
            clock: Clock::new(),
        })
    }

    /// How many threads can run side by side here, at most two.
    pub(crate) fn size(&self) -> usize {
        self.cores.len()
    }

    /// How many calls make a batch of the right length on so many threads.
    pub(crate) fn fitting(&self, subject: &Subject, threads: usize) -> u32 {
        let long_enough = |calls: &u32| {
            let load = Load {
                calls: *calls,
                batches: TRIES,
            };
            let batches = self.slowest(subject, threads, load);
            let shortest = batches.iter().map(|batch| batch.took).min();
            shortest.unwrap_or_default() >= BATCH
        };
        let mut doubled = (0..).map(|doublings| 1 << doublings);
        doubled
            .find(|calls| *calls >= MOST_CALLS || long_enough(calls))
            .unwrap_or(MOST_CALLS)
    }

    /// Nanoseconds per call of each batch on its slowest thread; none of a batch that was disturbed.
    pub(crate) fn batches(
        &self,
        subject: &Subject,
        threads: usize,
        load: Load,
    ) -> Vec<Option<f64>> {
        let nanos = |took: Duration| took.as_secs_f64() * 1e9 / f64::from(load.calls);
        let batches = self.slowest(subject, threads, load);
        let undisturbed = batches.into_iter();
        undisturbed
            .map(|batch| (!batch.disturbed).then(|| nanos(batch.took)))
            .collect()
    }

    fn slowest(&self, subject: &Subject, threads: usize, load: Load) -> Vec<Batch> {
        let timed = if subject.other().is_some() {
            1
        } else {
            threads
        };
        let line = StartLine::new(u32::try_from(timed).unwrap_or(1));
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            if let Some(act) = subject.other().filter(|_| threads > timed) {
                scope.spawn(|| self.accompany(act, &over));
            }
            let crew: Vec<_> = (0..timed)
                .map(|index| {
                    let line = &line;
                    scope.spawn(move || self.work(subject, index, line, load))
                })
                .collect();
            let times: Result<Vec<_>, _> = crew.into_iter().map(|thread| thread.join()).collect();
            over.store(true, Ordering::Release);
            // A thread that panicked has said so; what the other one did alone is not what was asked.
            let times = times.unwrap_or_default().into_iter();
            times.reduce(together).unwrap_or_default()
        })
    }

    fn work(&self, subject: &Subject, index: usize, line: &StartLine, load: Load) -> Vec<Batch> {
        let _attends = line.until_the_end();
        let pinned = self.pin(index);
        let switches = Switches::of_this_thread().ok();
        let mut calls = subject.calls();
        calls(load.calls);
        let batch = |number: u32| {
            // Patience is for the first meeting: who then was still waiting is awake at the second.
            line.meet(2 * number + 1);
            let before = switches.as_ref().and_then(Switches::count);
            line.meet(2 * number + 2);
            let started = self.clock.now();
            calls(load.calls);
            let took = self.clock.now().since(started);
            let after = switches.as_ref().and_then(Switches::count);
            Batch {
                took,
                disturbed: !pinned || before.is_none() || before != after,
            }
        };
        (0..load.batches).map(batch).collect()
    }

    fn accompany(&self, act: &(dyn Fn() + Sync), over: &AtomicBool) {
        self.pin(1);
        while !over.load(Ordering::Acquire) {
            act();
        }
    }

    fn pin(&self, index: usize) -> bool {
        self.cores.get(index).is_some_and(|core| {
            let mut only = CpuSet::new();
            only.set(*core);
            sched_setaffinity(None, &only).is_ok()
        })
    }
}

/// Batches that ran at the same time: the slower one counts, and one that was disturbed spoils both.
fn together(one: Vec<Batch>, other: Vec<Batch>) -> Vec<Batch> {
    let pairs = one.into_iter().zip(other);
    pairs
        .map(|(a, b)| Batch {
            took: a.took.max(b.took),
            disturbed: a.disturbed || b.disturbed,
        })
        .collect()
}
