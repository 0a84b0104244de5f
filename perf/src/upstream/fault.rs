//! What goes wrong with a call on purpose, and with which.

use std::time::Duration;

use clap::Args;

/// What a mock server does to calls, and only to them: sessions still open and tools are listed.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Fault {
    /// Milliseconds that every call takes.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) delay: u64,
    /// Answers calls with this HTTP status; over stdio with a JSON-RPC error.
    #[arg(long, value_name = "STATUS", conflicts_with_all = ["hang", "hang_up", "malformed"])]
    pub(crate) status: Option<u16>,
    /// Never answers calls.
    #[arg(long, conflicts_with_all = ["hang_up", "malformed"])]
    pub(crate) hang: bool,
    /// Closes the connection on a call; over stdio the process ends.
    #[arg(long, conflicts_with = "malformed")]
    pub(crate) hang_up: bool,
    /// Answers calls with half of the JSON.
    #[arg(long)]
    pub(crate) malformed: bool,
    /// Only every so many calls are faulty; the delay is that of all.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) every: u64,
}

/// How one call is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Answer,
    Status(u16),
    Hang,
    HangUp,
    Malformed,
}

impl Fault {
    /// How the call of that number, from 1, is dealt with.
    pub(crate) const fn deed(&self, call: u64) -> Deed {
        if !call.is_multiple_of(self.every) {
            return Deed::Answer;
        }
        match self.status {
            Some(status) => Deed::Status(status),
            None if self.hang => Deed::Hang,
            None if self.hang_up => Deed::HangUp,
            None if self.malformed => Deed::Malformed,
            None => Deed::Answer,
        }
    }

    /// How long a call takes.
    pub(crate) const fn delay(&self) -> Duration {
        Duration::from_millis(self.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nth_call_is_faulty() {
        let fault = Fault {
            hang_up: true,
            every: 3,
            ..Fault::default()
        };
        let deeds: Vec<Deed> = (1..=4).map(|call| fault.deed(call)).collect();
        assert_eq!(
            deeds,
            [Deed::Answer, Deed::Answer, Deed::HangUp, Deed::Answer]
        );
    }

    #[test]
    fn without_a_fault_every_call_is_answered() {
        let fault = Fault {
            every: 1,
            ..Fault::default()
        };
        assert_eq!(fault.deed(1), Deed::Answer);
    }
}
