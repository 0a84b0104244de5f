//! The turns of one load: every way once in each round, each time beginning with another.

use std::io;

use quanta::Clock;

use super::loads::Load;
use crate::{
    account::{Account, Spent},
    load::{Pace, Road, Work},
    process::{Process, own_account},
};

/// One way that requests take, and what its turns took.
pub(super) struct Way {
    pub(super) name: String,
    pub(super) road: Road,
    pub(super) account: Account,
    /// What must run for it and belongs to no other way.
    pub(super) _process: Option<Process>,
    pub(super) turns: Vec<Turn>,
}

/// What one turn took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
    pub(super) worst_us: f64,
    /// Processor time of the way for one request.
    pub(super) cpu_us: f64,
    /// The part of it that the process itself spends, without those that it started.
    pub(super) own_us: f64,
    /// Processor time of the client for one request.
    pub(super) client_us: f64,
    pub(super) per_second: f64,
}

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Amount {
    pub(super) rounds: usize,
    /// Requests of a turn, where they are small.
    pub(super) requests: u64,
    /// After so many seconds a load takes no further round.
    pub(super) seconds: u64,
}

/// Turns that are taken before any counts.
const WARM_UP: u32 = 2;
const WARM_UP_REQUESTS: u64 = 1_000;
/// Requests on each new connection that do not count.
const GREETINGS: u64 = 4;
/// Rounds that are taken however long they take.
const LEAST_ROUNDS: usize = 3;

/// Takes all rounds of one load.
pub(super) fn take(load: Load, ways: &mut [Way], amount: Amount) -> io::Result<()> {
    let work = load.work(amount.requests);
    let closed = |requests| Work {
        requests,
        pace: Pace::Closed,
        ..work
    };
    let warm_up = closed(work.requests.min(WARM_UP_REQUESTS));
    for way in ways.iter_mut() {
        for _ in 0..WARM_UP {
            way.turn(load, warm_up)?;
        }
    }
    let greeting = closed(GREETINGS * load.connections() as u64);
    let clock = Clock::new();
    let started = clock.raw();
    for round in 0..amount.rounds {
        let seconds = clock.delta_as_nanos(started, clock.raw()) / 1_000_000_000;
        if round >= LEAST_ROUNDS && seconds >= amount.seconds {
            break;
        }
        let count = ways.len();
        for place in 0..count {
            let way = &mut ways[(round + place) % count];
            way.road.reopen()?;
            way.turn(load, greeting)?;
            let turn = way.turn(load, work)?;
            way.turns.push(turn);
        }
    }
    Ok(())
}

impl Way {
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanoseconds and counts of one turn are far below 2^52"
    )]
    fn turn(&mut self, load: Load, work: Work) -> io::Result<Turn> {
        let accounts = [self.account, self.account.alone(), own_account()];
        let before: Vec<Spent> = accounts
            .iter()
            .map(|account| account.spent())
            .collect::<io::Result<_>>()?;
        let latencies = self.road.turn(work).map_err(|error| {
            io::Error::other(format!("{} under {}: {error}", self.name, load.name()))
        })?;
        let count = latencies.count() as f64;
        let cpu_us = |at: usize| -> io::Result<f64> {
            Ok(accounts[at].spent()?.since(&before[at]) as f64 / 1e3 / count)
        };
        Ok(Turn {
            p50_us: latencies.percentile_us(50.0),
            p99_us: latencies.percentile_us(99.0),
            worst_us: latencies.percentile_us(100.0),
            cpu_us: cpu_us(0)?,
            own_us: cpu_us(1)?,
            client_us: cpu_us(2)?,
            per_second: count / (latencies.elapsed_ns as f64 / 1e9),
        })
    }

    /// One figure of every round.
    pub(super) fn figures(&self, figure: impl Fn(&Turn) -> f64) -> Vec<f64> {
        self.turns.iter().map(figure).collect()
    }
}
