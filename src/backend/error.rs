//! Each way a call can fail, whose fault it is, and the sentence that says so.

use std::{fmt, time::Duration};

use crate::failsafe::Outcome;

/// Why a call has no answer. Each says whose fault it is and what to do in its `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The breaker is open; nothing was sent.
    CircuitOpen {
        /// The tool, if its own breaker refused and not the backend's.
        tool: Option<Box<str>>,
        /// Whether an operator has opened it: then no time cures it.
        by_operator: bool,
        /// When the next probe is due.
        retry_after: Duration,
        /// How long it has been open.
        open_for: Duration,
        /// The failure that opened it, as a sentence.
        cause: Option<Box<str>>,
    },
    /// No place in the queue, or none in time; nothing was sent.
    Overloaded {
        /// Calls in flight when this one was refused.
        in_flight: usize,
        /// How long it waited; zero when the queue itself was full.
        waited: Duration,
    },
    /// The backend's own rate limit in the configuration refused the call; nothing was sent.
    RateLimited {
        /// When the next call may go.
        retry_after: Duration,
    },
    /// The backend could not be reached; the request was never sent.
    Unreachable {
        /// What happened, as a sentence.
        reason: Box<str>,
        /// True when trying again cannot help until the configuration is mended.
        permanent: bool,
        /// When the next attempt to start it is due.
        retry_after: Option<Duration>,
    },
    /// The connection broke after the request may have been read: exit status, last lines of stderr, or socket error.
    Lost {
        /// What happened, as a sentence.
        reason: Box<str>,
    },
    /// The backend has forgotten our session, and so has not run the request.
    SessionLost,
    /// No answer before the deadline.
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The backend answered HTTP 429.
    Throttled {
        /// What it asked for.
        retry_after: Duration,
    },
    /// The backend answered HTTP 401 or 403.
    Denied {
        /// The HTTP status.
        status: u16,
        /// The names of the configured headers that it was sent, joined by commas.
        headers: Box<str>,
    },
    /// The backend answered another HTTP error.
    Http {
        /// The HTTP status.
        status: u16,
        /// The beginning of its body, for people.
        excerpt: Box<str>,
        /// Its `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The backend broke the protocol: malformed JSON, an oversized message, no answer in a closed stream.
    Protocol {
        /// What was wrong, as a sentence.
        reason: Box<str>,
    },
    /// One tool of the backend failed for a reason that says nothing of its other tools.
    Tool {
        /// What happened, as a sentence.
        reason: Box<str>,
        /// Whether it may have done something.
        sent: bool,
        /// When it is worth trying again, where that is known.
        retry_after: Option<Duration>,
    },
    /// The backend asked the client for something that it did not get.
    Unanswered {
        /// What was asked and why there is no answer, as a sentence.
        reason: Box<str>,
    },
    /// An operator stopped the backend, or the gateway is shutting down.
    Stopped,
}

impl CallError {
    /// The backend could not be reached for this reason, and may be later.
    #[must_use]
    pub fn unreachable(reason: impl Into<Box<str>>) -> Self {
        Self::Unreachable {
            reason: reason.into(),
            permanent: false,
            retry_after: None,
        }
    }

    pub(super) fn lost(reason: impl Into<Box<str>>) -> Self {
        Self::Lost {
            reason: reason.into(),
        }
    }

    pub(super) fn protocol(reason: impl Into<Box<str>>) -> Self {
        Self::Protocol {
            reason: reason.into(),
        }
    }

    /// The backend asked the client for something, and this is why it did not get it.
    #[must_use]
    pub fn unanswered(reason: impl Into<Box<str>>) -> Self {
        Self::Unanswered {
            reason: reason.into(),
        }
    }

    /// The row of the outcome table.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::CircuitOpen { .. } => Outcome::CircuitOpen,
            Self::Overloaded { .. } => Outcome::Overloaded,
            Self::RateLimited { .. } => Outcome::RateLimited,
            Self::Unreachable {
                permanent: true, ..
            } => Outcome::Misconfigured,
            Self::Unreachable { .. } => Outcome::Unreachable,
            Self::Lost { .. } => Outcome::Lost,
            Self::SessionLost => Outcome::SessionLost,
            Self::TimedOut { .. } => Outcome::Timeout,
            Self::Throttled { .. } => Outcome::Throttled,
            Self::Denied { .. } => Outcome::Denied,
            Self::Http { status, .. } => Outcome::of_http_status(*status),
            Self::Protocol { .. } => Outcome::ProtocolViolation,
            Self::Tool { .. } => Outcome::ToolFailure,
            Self::Unanswered { .. } => Outcome::CallerFault,
            Self::Stopped => Outcome::Stopped,
        }
    }

    /// When it is worth trying again, where that is known.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::CircuitOpen {
                by_operator: true, ..
            } => None,
            Self::CircuitOpen { retry_after, .. }
            | Self::RateLimited { retry_after }
            | Self::Throttled { retry_after } => Some(*retry_after),
            Self::Unreachable { retry_after, .. }
            | Self::Http { retry_after, .. }
            | Self::Tool { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether nothing was tried, because the backend dies so often that it is not started again yet.
    #[must_use]
    pub(super) const fn is_held_back(&self) -> bool {
        matches!(
            self,
            Self::Unreachable {
                retry_after: Some(_),
                ..
            }
        )
    }

    /// Whether the backend may have read the request.
    #[must_use]
    pub const fn was_sent(&self) -> bool {
        matches!(
            self,
            Self::Lost { .. }
                | Self::TimedOut { .. }
                | Self::Http { .. }
                | Self::Protocol { .. }
                | Self::Tool { sent: true, .. }
        )
    }
}

/// A sentence; in its alternate form (`{:#}`) a few words, the same for failures of one kind.
impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.brief(f);
        }
        match self {
            Self::CircuitOpen { .. } | Self::Overloaded { .. } | Self::RateLimited { .. } => {
                self.refused(f)
            }
            Self::Unreachable { reason, .. } => write!(f, "it could not be reached: {reason}"),
            Self::Lost { reason } => write!(f, "the call broke off: {reason}"),
            Self::SessionLost => f.write_str("it has forgotten the session; the call did not run"),
            Self::TimedOut { after } => write!(
                f,
                "no answer within {after:.1?}; the call may still have run"
            ),
            Self::Throttled { retry_after } => {
                write!(
                    f,
                    "it answered 429 Too Many Requests; try again in {retry_after:.1?}"
                )
            }
            Self::Denied { status, headers } if headers.is_empty() => write!(
                f,
                "it answered {status}, and the gateway has no credential for it; \
                 add `headers` to this backend in the configuration"
            ),
            Self::Denied { status, headers } => write!(
                f,
                "it answered {status}: what the configuration sends in the header {headers} is not accepted; \
                 mend `headers` of this backend"
            ),
            Self::Http {
                status, excerpt, ..
            } if excerpt.is_empty() => write!(f, "it answered HTTP {status}"),
            Self::Http {
                status, excerpt, ..
            } => write!(f, "it answered HTTP {status}: {excerpt}"),
            Self::Protocol { reason } => write!(f, "it broke the protocol: {reason}"),
            Self::Tool { reason, .. } | Self::Unanswered { reason } => f.write_str(reason),
            Self::Stopped => {
                f.write_str("an operator stopped it; revive it with gateway_revive_server")
            }
        }
    }
}

impl CallError {
    /// What was refused here: the backend has not heard of it.
    fn refused(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CircuitOpen {
                by_operator: true, ..
            } => f.write_str("an operator keeps its circuit open")?,
            Self::CircuitOpen {
                tool,
                retry_after,
                open_for,
                cause,
                ..
            } => {
                let of_tool = tool
                    .as_deref()
                    .map(|tool| format!(" of its tool {tool:?}"))
                    .unwrap_or_default();
                let because = cause
                    .as_deref()
                    .map(|cause| format!(" because {cause}"))
                    .unwrap_or_default();
                write!(
                    f,
                    "the circuit{of_tool} has been open for {open_for:.1?}{because}; the next call is let through in {retry_after:.1?}"
                )?;
            }
            Self::Overloaded { in_flight, waited } if waited.is_zero() => {
                write!(
                    f,
                    "its queue is full, with {in_flight} in flight; try again later"
                )?;
            }
            Self::Overloaded { in_flight, waited } => write!(
                f,
                "no place became free within {waited:.1?}, with {in_flight} in flight; try again later"
            )?,
            Self::RateLimited { retry_after } => write!(
                f,
                "the configured rate limit of this backend is used up; try again in {retry_after:.1?}"
            )?,
            _ => {}
        }
        f.write_str("; nothing was sent")
    }
}

/// The longest reason in a few words, in characters.
const BRIEF: usize = 60;

impl CallError {
    fn brief(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable { reason, .. }
            | Self::Lost { reason }
            | Self::Tool { reason, .. } => f.write_str(&last_cause(reason)),
            Self::TimedOut { after } => write!(f, "deadline {after:.0?}"),
            Self::Http { status, .. } | Self::Denied { status, .. } => write!(f, "HTTP {status}"),
            Self::Throttled { .. } => f.write_str("HTTP 429"),
            Self::Protocol { reason } => {
                let words: String = reason.chars().take(BRIEF).collect();
                write!(f, "broken protocol: {words}")
            }
            Self::SessionLost => f.write_str("session lost"),
            Self::CircuitOpen { .. } => f.write_str("circuit open"),
            Self::Overloaded { .. } => f.write_str("queue full"),
            Self::RateLimited { .. } => f.write_str("rate limit"),
            Self::Unanswered { .. } => f.write_str("the client did not answer"),
            Self::Stopped => f.write_str("stopped"),
        }
    }
}

/// What stands at the end of a chain of reasons, on its first line, without the system's number for it.
fn last_cause(reason: &str) -> String {
    let line = reason.lines().next().unwrap_or_default();
    let first = line.split(';').next().unwrap_or_default();
    let last = first.rsplit(": ").next().unwrap_or_default();
    let words = last.split(" (os error").next().unwrap_or_default();
    let words: String = words.chars().take(BRIEF).collect();
    let mut letters = words.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => words,
    }
}

impl std::error::Error for CallError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_kind_have_the_same_few_words() {
        let refused = "no connection to 127.0.0.1:39401: Connection refused (os error 111)";
        let words = |error: CallError| format!("{error:#}");
        for (error, few) in [
            (CallError::unreachable(refused), "connection refused"),
            (
                CallError::lost("the child exited with status 3; its stderr ends with: boom: x"),
                "the child exited with status 3",
            ),
            (CallError::unreachable("EOF"), "EOF"),
            (
                CallError::TimedOut {
                    after: Duration::from_micros(30_000_313),
                },
                "deadline 30s",
            ),
            (
                CallError::Http {
                    status: 503,
                    excerpt: "busy".into(),
                    retry_after: None,
                },
                "HTTP 503",
            ),
        ] {
            assert_eq!(words(error), few);
        }
        let long = words(CallError::protocol("x".repeat(500)));
        assert!(long.len() < 100, "{long}");
    }
}
