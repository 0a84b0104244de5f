//! When is a request due?

/// How requests follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection sends its next request when the last one is answered: how much goes through.
    Closed,
    /// Requests are due at fixed times, whether or not earlier ones are answered: what a caller waits at that rate. A
    /// latency counts from the time at which its request was due, so that a stall counts for all whom it kept waiting.
    Open {
        /// Nanoseconds from one request to the next.
        interval_ns: u64,
    },
}

impl Pace {
    /// An open loop at that many requests a second.
    pub(crate) const fn at_rate(per_second: u64) -> Self {
        let interval_ns = 1_000_000_000 / if per_second == 0 { 1 } else { per_second };
        Self::Open { interval_ns }
    }

    /// When request `number` of a turn that began at `start_ns` is due; in a closed loop as soon as a connection is free.
    pub(super) const fn due_ns(self, number: u64, start_ns: u64, now_ns: u64) -> u64 {
        match self {
            Self::Closed => now_ns,
            Self::Open { interval_ns } => start_ns + number * interval_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_an_open_loop_requests_are_due_at_fixed_times_and_in_a_closed_one_now() {
        assert_eq!(Pace::at_rate(1_000).due_ns(3, 10, 99), 3_000_010);
        assert_eq!(Pace::Closed.due_ns(3, 10, 99), 99);
    }
}
