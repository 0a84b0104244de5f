//! Why settings of a breaker are refused, as sentences for the person who wrote them.

use std::fmt;

use crate::lockfree::breaker::policy::{
    LONGEST_MS, LONGEST_WINDOW_MS, MOST_PROBES, SHORTEST_WINDOW_MS, WIDEST_WINDOW,
};

/// Why settings cannot make a [`Policy`](crate::lockfree::Policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The failure threshold is zero.
    FailureThreshold,
    /// The window is empty or wider than 32 results.
    Window(u32),
    /// The failures or the minimum do not fit the window.
    Rate {
        /// Results that are remembered.
        window: u32,
        /// Failures that open.
        failures: u32,
        /// Results that must be known.
        minimum: u32,
    },
    /// The failure rate is no part of a hundred, or is judged of no calls.
    Percent {
        /// Percent of the calls.
        percent: u32,
        /// Calls that must be in the window.
        minimum: u32,
    },
    /// The same of the rate of slow calls.
    SlowPercent {
        /// Percent of the calls.
        percent: u32,
        /// Calls that must be in the window.
        minimum: u32,
    },
    /// The window of time is shorter than 0.1 s or longer than an hour.
    WindowTime {
        /// The window in milliseconds.
        window_ms: u64,
    },
    /// The success threshold is not 1 to 15.
    SuccessThreshold(u32),
    /// The number of probes at a time is not 1 to 15.
    HalfOpenMaxCalls(u32),
    /// The jitter is over 100 percent.
    Jitter(u32),
    /// The reset timeout is zero, above its maximum, or the maximum is above four years.
    ResetTimeout {
        /// The reset timeout in milliseconds.
        reset_ms: u64,
        /// Its maximum in milliseconds.
        max_ms: u64,
    },
    /// The lease is zero or above four years.
    Lease {
        /// The lease in milliseconds.
        lease_ms: u64,
    },
    /// A call could outlive so many generations that its late result would pass for a fresh one.
    Alias {
        /// The reset timeout in milliseconds.
        reset_ms: u64,
        /// The longest call in milliseconds.
        lease_ms: u64,
    },
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FailureThreshold => f.write_str(
                "the failure threshold is 0: no number of failures could open the circuit; give 1 or more",
            ),
            Self::Window(window) => write!(
                f,
                "the window is {window} results: it must hold at least one and at most {WIDEST_WINDOW}; give 1 to {WIDEST_WINDOW}"
            ),
            Self::Rate {
                window,
                failures,
                minimum,
            } => write!(
                f,
                "{failures} failures with a minimum of {minimum} calls do not fit a window of {window}: the circuit could never open as asked; \
                 give 1 to {window} failures and a minimum of at most {window}"
            ),
            Self::Percent { percent, minimum } => write!(
                f,
                "{percent} % failures of at least {minimum} calls is no rate to open at: give 1 to 100 percent of at least 1 call"
            ),
            Self::SlowPercent { percent, minimum } => write!(
                f,
                "{percent} % slow calls of at least {minimum} calls is no rate to open at: give 1 to 100 percent of at least 1 call"
            ),
            Self::WindowTime { window_ms } => write!(
                f,
                "the window of time is {window_ms} ms: give {SHORTEST_WINDOW_MS} to {LONGEST_WINDOW_MS} ms"
            ),
            Self::SuccessThreshold(probes) => write!(
                f,
                "the success threshold is {probes}: it must be at least one and at most {MOST_PROBES} probes; give 1 to {MOST_PROBES}"
            ),
            Self::HalfOpenMaxCalls(calls) => write!(
                f,
                "half-open lets {calls} probes through at a time: it must be at least one and at most {MOST_PROBES}; give 1 to {MOST_PROBES}"
            ),
            Self::Jitter(percent) => write!(
                f,
                "the jitter is {percent} %: it cannot be more than the wait itself; give 0 to 100"
            ),
            Self::ResetTimeout { reset_ms, max_ms } => write!(
                f,
                "the reset timeout is {reset_ms} ms with a maximum of {max_ms} ms: it must be above zero and not above its maximum, \
                 and no maximum may pass {LONGEST_MS} ms; give a shorter reset timeout or a fitting maximum"
            ),
            Self::Lease { lease_ms } => write!(
                f,
                "a call may take {lease_ms} ms: it must be above zero and at most {LONGEST_MS} ms; give a lease in that range"
            ),
            Self::Alias { reset_ms, lease_ms } => write!(
                f,
                "a call may take {lease_ms} ms while the circuit resets every {reset_ms} ms: its late result could pass for a fresh one; \
                 give a longer reset timeout or a shorter lease"
            ),
        }
    }
}

impl std::error::Error for PolicyError {}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_setting_and_what_to_give_instead() {
        let window = PolicyError::Window(33).to_string();
        assert_eq!(
            window,
            "the window is 33 results: it must hold at least one and at most 32; give 1 to 32"
        );
        let jitter = PolicyError::Jitter(101).to_string();
        assert!(jitter.contains("101 %") && jitter.ends_with("give 0 to 100"));
    }
}
