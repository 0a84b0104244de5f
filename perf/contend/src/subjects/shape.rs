//! The usual shape: a breaker behind a lock, and the latest thousand latencies in a vector behind another.

use std::{
    collections::VecDeque,
    hint::black_box,
    sync::{Mutex, PoisonError},
};

use super::all::latency_us;
use crate::subject::{Group, Subject, shared};

/// How many latencies are kept.
const KEPT: usize = 1_000;
const THRESHOLD: u32 = 5;

/// What a breaker behind a lock knows. Time is handed in, as to the core.
#[derive(Default)]
struct Locked(Mutex<Known>);

#[derive(Default)]
struct Known {
    failures: u32,
    open_until_ms: Option<u64>,
}

/// The latest latencies, the oldest first.
trait Latest: Send + 'static {
    fn keep(&mut self, us: u64);
}

pub(super) fn all() -> Vec<Subject> {
    vec![
        call("locked breaker, locked vector", Vec::with_capacity(KEPT)),
        call("locked breaker, locked ring", VecDeque::with_capacity(KEPT)),
        breaker(),
        refusal(),
        record("locked vector of 1,000", Vec::with_capacity(KEPT)),
        record("locked ring of 1,000", VecDeque::with_capacity(KEPT)),
    ]
}

fn call(name: &'static str, samples: impl Latest) -> Subject {
    let state = shared((Locked::default(), Mutex::new(samples)));
    Subject::on(Group::Call, name, state, |(breaker, samples), number| {
        if breaker.asks(black_box(number)) {
            breaker.succeeded();
            locked(samples).keep(latency_us(number));
        }
    })
}

fn breaker() -> Subject {
    let state = shared(Locked::default());
    Subject::on(
        Group::Breaker,
        "locked breaker",
        state,
        |breaker, number| {
            if breaker.asks(black_box(number)) {
                breaker.succeeded();
            }
        },
    )
}

fn refusal() -> Subject {
    let state = shared(Locked::default());
    for _ in 0..THRESHOLD {
        state.failed(u64::MAX);
    }
    let name = "locked breaker, open";
    Subject::on(Group::Refusal, name, state, |breaker, number| {
        black_box(breaker.asks(black_box(number)));
    })
}

fn record(name: &'static str, samples: impl Latest) -> Subject {
    let state = shared(Mutex::new(samples));
    Subject::on(Group::Record, name, state, |samples, number| {
        locked(samples).keep(black_box(latency_us(number)));
    })
}

impl Locked {
    fn asks(&self, now_ms: u64) -> bool {
        locked(&self.0)
            .open_until_ms
            .is_none_or(|until_ms| now_ms >= until_ms)
    }

    fn succeeded(&self) {
        *locked(&self.0) = Known::default();
    }

    fn failed(&self, until_ms: u64) {
        let mut known = locked(&self.0);
        known.failures += 1;
        if known.failures >= THRESHOLD {
            known.open_until_ms = Some(until_ms);
        }
    }
}

impl Latest for Vec<u64> {
    fn keep(&mut self, us: u64) {
        if self.len() == KEPT {
            self.remove(0);
        }
        self.push(us);
    }
}

impl Latest for VecDeque<u64> {
    fn keep(&mut self, us: u64) {
        if self.len() == KEPT {
            self.pop_front();
        }
        self.push_back(us);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
