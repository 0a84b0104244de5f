//! Either way on which requests go: sockets or pipes.

use std::io;

use super::{Lane, Latencies, Pipes, Work};

/// What carries requests.
pub(crate) enum Road {
    Sockets(Lane),
    Pipes(Pipes),
}

impl Road {
    /// Sends the requests of a turn and waits for all answers; over pipes always in a closed loop.
    pub(crate) fn turn(&mut self, work: Work) -> io::Result<Latencies> {
        match self {
            Self::Sockets(lane) => lane.turn(work),
            Self::Pipes(pipes) => pipes.turn(work),
        }
    }
}
