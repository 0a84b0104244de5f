//! Why an exchange with a provider came to nothing.

use std::{fmt, time::Duration};

/// Why there is no answer. No sentence of it holds more of a URL than its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebFault {
    /// The address must not be called; nothing was sent to it.
    Forbidden {
        /// Whose address it is.
        host: Box<str>,
        /// What kind of address it is.
        what: &'static str,
    },
    /// Nobody could be reached; nothing was sent.
    Unreachable(Box<str>),
    /// The connection broke after the request may have been read.
    Lost(Box<str>),
    /// No whole answer in time.
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The answer is longer than what is read.
    TooLong {
        /// The longest that is read, in bytes.
        most: usize,
    },
    /// It sends on to somewhere that is not gone to.
    Astray(Box<str>),
}

impl fmt::Display for WebFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { host, what } => write!(
                f,
                "{host} has an address that is {what}, which is not called; if it is meant, name its network in \
                 capabilities.allow_private_networks"
            ),
            Self::Unreachable(reason) => write!(f, "it could not be reached: {reason}"),
            Self::Lost(reason) => write!(f, "the call broke off: {reason}"),
            Self::TimedOut { after } => {
                write!(
                    f,
                    "no answer within {after:.1?}; the call may still have run"
                )
            }
            Self::TooLong { most } => write!(
                f,
                "its answer is longer than {most} bytes; ask for less, for example a page of it"
            ),
            Self::Astray(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for WebFault {}
