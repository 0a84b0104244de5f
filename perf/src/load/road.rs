//! Either way on which requests go: sockets or pipes.

use std::io;

use super::{Lane, Latencies, Pace, Pipes};

/// What carries requests.
pub(crate) enum Road {
    Sockets(Lane),
    Pipes(Pipes),
}

impl Road {
    /// Sends that many requests and waits for all answers; over pipes always in a closed loop.
    pub(crate) fn turn(&mut self, requests: u64, pace: Pace) -> io::Result<Latencies> {
        match self {
            Self::Sockets(lane) => lane.turn(requests, pace),
            Self::Pipes(pipes) => pipes.turn(requests),
        }
    }
}
