//! When to stop: SIGTERM or SIGINT, or when the terminal is closed; and once more for at once.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for an end. From the moment it is made they no longer end the process by themselves.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    /// Whether somebody sits at a terminal.
    attended: bool,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            attended: io::stderr().is_terminal(),
        })
    }

    /// The name of the next signal that asks for an end.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            () = closed(&mut self.hangup, self.attended) => "SIGHUP",
        }
    }
}

/// Resolves at a SIGHUP that means what its name says: there was a terminal, and it is gone. Any other asks for a reload.
async fn closed(hangup: &mut Signal, attended: bool) {
    loop {
        hangup.recv().await;
        if attended && !io::stderr().is_terminal() {
            return;
        }
    }
}
