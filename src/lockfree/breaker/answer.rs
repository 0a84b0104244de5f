//! What the breaker is told and what it answers.

/// Whether calls flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls flow.
    Closed,
    /// Calls are refused until a probe is due.
    Open,
    /// A few probes are let through; their results decide.
    HalfOpen,
}

/// Who decides on the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The results of calls.
    Automatic,
    /// An operator: every call is refused, whatever happens.
    ForcedOpen,
    /// An operator: every call flows; failures are counted and open nothing.
    ForcedClosed,
    /// Nobody: every call flows and nothing is counted.
    Disabled,
}

/// How a call ended, as far as the breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The backend did its work.
    Success,
    /// The backend did its work, and took too long for it.
    Slow,
    /// The backend failed.
    Failure,
}

/// A call that may not go now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When it is worth asking again, in milliseconds from the `now_ms` that was handed in; never zero.
    /// While forced open, the reset timeout.
    pub retry_after_ms: u64,
    /// The state that refused it: open, or half-open with every probe slot taken.
    pub state: State,
    /// Whether the backend's results or an operator refused it.
    pub mode: Mode,
}

/// What one result changed. A change of state is reported to exactly one caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Settled {
    /// Nothing worth telling.
    Quiet,
    /// A failure was counted and opened nothing.
    Counted {
        /// Failures on record, this one included.
        failures: u32,
        /// How many of them open the breaker.
        threshold: u32,
    },
    /// This failure, or this slow call, opened the breaker.
    Opened {
        /// Failures on record, this one included; slow calls, if too many of them opened it; 1 if it was a probe.
        failures: u32,
        /// Milliseconds until the next probe is due.
        retry_in_ms: u64,
        /// Whether a failed probe opened it again.
        reopened: bool,
    },
    /// This probe was the last success that was needed: the breaker is closed.
    Closed,
    /// A probe succeeded, and more are needed.
    ProbeSucceeded {
        /// Successful probes so far.
        successes: u32,
        /// Successful probes that close the breaker.
        needed: u32,
    },
    /// The result came too late to matter: the breaker has moved on since the call was admitted.
    Stale,
}

/// A change of state or mode that an operator made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// The mode after.
    pub mode: Mode,
}

/// One consistent look at the breaker: everything comes from one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Whether calls flow. Open also when a probe is due and nobody has asked yet.
    pub state: State,
    /// Who decides.
    pub mode: Mode,
    /// Failures on record: in a row, among the last results, or in the window of time. Zero unless closed.
    pub failures: u32,
    /// Grows with every change of state, modulo 2^18.
    pub generation: u32,
    /// Milliseconds until the next probe is due, if the breaker is open by itself; zero if one is due now.
    pub retry_after_ms: Option<u64>,
    /// Probes in flight; zero unless half-open.
    pub probes_in_flight: u32,
    /// Successful probes so far; zero unless half-open.
    pub probe_successes: u32,
    /// How often the breaker has opened since it last recovered; at most 31.
    pub opens_in_a_row: u32,
}
