//! One turn: requests that are due at fixed times, over connections of which each takes the next one as soon as it is free.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::task::JoinSet;

use super::{lane::Lane, seen::Seen};
use crate::{
    lockfree::Counter,
    telemetry::{Clock, Stamp},
};

/// How much of a way, and how fast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work {
    /// Requests a second.
    pub(super) rate: u64,
    pub(super) length: Duration,
}

/// What the connections of a turn share.
struct Turn {
    clock: Clock,
    began: Stamp,
    work: Work,
    taken: Counter,
    seen: Mutex<Seen>,
}

impl Work {
    /// Requests that are due in a turn.
    fn due(self) -> u64 {
        let whole = u128::from(self.rate) * self.length.as_nanos() / 1_000_000_000;
        u64::try_from(whole).unwrap_or(u64::MAX)
    }

    /// When the request of this number is due, counted from the beginning of the turn.
    fn due_at(self, number: u64) -> Duration {
        let ns = u128::from(number) * 1_000_000_000 / u128::from(self.rate.max(1));
        Duration::from_nanos(u64::try_from(ns).unwrap_or(u64::MAX))
    }
}

/// Sends the requests of a turn over these connections, and waits for the answers.
///
/// A latency counts from when its request was due, not from when a connection was free for it: a stall counts for all whom it
/// kept waiting. What is due and finds no free connection until the turn is over is never sent.
///
/// # Errors
/// An answer that is none, or that does not come.
pub(super) async fn turn(
    clock: &Clock,
    lanes: Vec<Lane>,
    work: Work,
) -> io::Result<(Vec<Lane>, Seen)> {
    let mut seen = Seen::new().map_err(io::Error::other)?;
    seen.due = work.due();
    let turn = Arc::new(Turn {
        clock: clock.clone(),
        began: clock.now(),
        work,
        taken: Counter::new(),
        seen: Mutex::new(seen),
    });
    let mut busy = JoinSet::new();
    for lane in lanes {
        let turn = Arc::clone(&turn);
        busy.spawn(async move { turn.serve(lane).await });
    }
    let mut lanes = Vec::with_capacity(busy.len());
    while let Some(lane) = busy.join_next().await {
        lanes.push(lane.map_err(io::Error::other)??);
    }
    let took = clock.now().since(turn.began);
    let turn =
        Arc::into_inner(turn).ok_or_else(|| io::Error::other("a connection is still busy"))?;
    let mut seen = turn
        .seen
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    seen.took = took;
    Ok((lanes, seen))
}

impl Turn {
    /// Takes one request after another until all are taken or the time is over.
    async fn serve(&self, mut lane: Lane) -> io::Result<Lane> {
        loop {
            let number = self.taken.next() - 1;
            if number >= self.work.due() {
                return Ok(lane);
            }
            let due = self.began.later(self.work.due_at(number));
            lane.wait(due.since(self.clock.now())).await?;
            if self.clock.now().since(self.began) > self.work.length {
                return Ok(lane);
            }
            lane.exchange().await?;
            let latency = self.clock.now().since(due);
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.record(latency);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_at_fixed_times_and_no_fraction_of_one_is_lost() {
        let work = Work {
            rate: 3,
            length: Duration::from_millis(2_500),
        };
        assert_eq!(work.due(), 7);
        assert_eq!(work.due_at(0), Duration::ZERO);
        assert_eq!(work.due_at(3), Duration::from_secs(1));
        assert_eq!(work.due_at(7).as_millis(), 2_333);
    }
}
