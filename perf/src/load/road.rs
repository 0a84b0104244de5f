//! Either way on which requests go: sockets or pipes.

use std::io;

use super::{Lane, Latencies, Pipes, Work};

/// What carries requests.
pub(crate) enum Road {
    Sockets(Lane),
    Pipes(Pipes),
}

impl Road {
    /// Opens connections anew; a child has only its pipes.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        match self {
            Self::Sockets(lane) => lane.reopen(),
            Self::Pipes(_) => Ok(()),
        }
    }

    /// Sends the requests of a turn and waits for all answers; over pipes always in a closed loop.
    pub(crate) fn turn(&mut self, work: Work) -> io::Result<Latencies> {
        match self {
            Self::Sockets(lane) => lane.turn(work),
            Self::Pipes(pipes) => pipes.turn(work),
        }
    }
}
