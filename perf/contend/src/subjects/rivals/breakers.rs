//! Breakers: recloser, failsafe, tower-resilience. Where they can, they count failures in a row, as ours does.

use std::{
    convert::Infallible,
    future::{Ready, poll_fn, ready},
    hint::{black_box, spin_loop},
    pin::pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use failsafe::{CircuitBreaker as _, backoff, failure_policy};
use recloser::Recloser;
use tower::{Service, service_fn, util::ServiceFn};
use tower_resilience_circuitbreaker::{CircuitBreaker, CircuitBreakerLayer, DefaultClassifier};

use crate::subject::{Group, Subject, shared};

const FAILURES: u32 = 5;
/// Long enough for an open breaker to stay open.
const OPEN: Duration = Duration::from_secs(86_400);

type Guarded = CircuitBreaker<ServiceFn<fn(()) -> Answer>, DefaultClassifier>;
type Answer = Ready<Result<(), Infallible>>;

pub(in crate::subjects) fn breakers() -> Vec<Subject> {
    let subjects = recloser().into_iter().chain(failsafe());
    subjects
        .chain(tower_resilience().into_iter().flatten())
        .collect()
}

/// A ring of 100 results; it cannot count failures in a row.
fn recloser() -> [Subject; 2] {
    let breaker = || Recloser::custom().closed_len(100).open_wait(OPEN).build();
    let open = shared(breaker());
    while !matches!(open.call(fails), Err(recloser::Error::Rejected)) {}
    let call = |breaker: &Recloser, _| {
        black_box(breaker.call(works).is_ok());
    };
    [
        Subject::on(Group::Breaker, "recloser", shared(breaker()), call),
        Subject::on(Group::Refusal, "recloser, open", open, call),
    ]
}

fn failsafe() -> [Subject; 2] {
    let breaker = || {
        let policy = failure_policy::consecutive_failures(FAILURES, backoff::constant(OPEN));
        failsafe::Config::new().failure_policy(policy).build()
    };
    let open = shared(breaker());
    while !matches!(open.call(fails), Err(failsafe::Error::Rejected)) {}
    [
        Subject::on(
            Group::Breaker,
            "failsafe",
            shared(breaker()),
            |breaker, _| {
                black_box(breaker.call(works).is_ok());
            },
        ),
        Subject::on(Group::Refusal, "failsafe, open", open, |breaker, _| {
            black_box(breaker.call(works).is_ok());
        }),
    ]
}

/// A service around one that answers at once. Each thread has a clone, and polls instead of sleeping where it has to wait.
fn tower_resilience() -> [Option<Subject>; 2] {
    let guarded = || {
        let settings = CircuitBreakerLayer::builder()
            .consecutive_failures(FAILURES as usize)
            .wait_duration_in_open(OPEN);
        let layer = settings.build().ok()?;
        Some(layer.layer_fn(service_fn(answer as fn(()) -> Answer)))
    };
    let open = guarded().inspect(|guarded| finished(guarded.force_open()));
    [
        guarded().map(|guarded| served(Group::Breaker, "tower-resilience", guarded)),
        // Open and beside another thread it sleeps for a millisecond where the lock is held.
        open.map(|open| served(Group::Refusal, "tower-resilience, open", open).alone()),
    ]
}

fn served(group: Group, name: &'static str, guarded: Guarded) -> Subject {
    let guarded = Mutex::new(guarded);
    Subject::own(group, name, move || {
        let mut service = guarded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Box::new(move |calls| {
            for _ in 0..calls {
                let ready = finished(poll_fn(|context| service.poll_ready(context)));
                black_box(ready.is_ok() && finished(service.call(())).is_ok());
            }
        })
    })
}

fn answer((): ()) -> Answer {
    ready(Ok(()))
}

fn works() -> Result<(), ()> {
    black_box(Ok(()))
}

fn fails() -> Result<(), ()> {
    black_box(Err(()))
}

fn finished<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        spin_loop();
    }
}
