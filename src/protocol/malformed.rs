//! Why bytes are not a JSON-RPC message, as a sentence for whoever sent them.

use std::fmt;

use bytes::Bytes;

use super::scan::Stop;

/// Bytes that are not a JSON-RPC message. Its `Display` says what was wrong, what it means and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    fault: Fault,
    id: Option<Bytes>,
}

/// What was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A byte sequence that is not UTF-8 begins at byte `at`.
    NotUtf8 {
        /// Bytes from the start of the body.
        at: usize,
    },
    /// The text is not JSON (RFC 8259).
    NotJson {
        /// Bytes from the start of the body.
        at: usize,
        /// What the grammar asks for there.
        expected: &'static str,
    },
    /// Arrays and objects are nested more than 128 deep.
    TooDeep {
        /// Bytes from the start of the body.
        at: usize,
    },
    /// The body is longer than can be addressed (4 GiB).
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// It is JSON, but no JSON-RPC 2.0 message.
    NotJsonRpc {
        /// Which rule it breaks, as the end of a sentence.
        reason: &'static str,
    },
    /// An array without messages (JSON-RPC 2.0 section 6).
    EmptyBatch,
    /// An array of more messages than are taken at once.
    BatchTooLong {
        /// How many are taken.
        max: usize,
    },
}

impl Malformed {
    pub(super) const fn new(fault: Fault, id: Option<Bytes>) -> Self {
        Self { fault, id }
    }

    pub(super) fn with_id(self, id: Option<Bytes>) -> Self {
        Self { id, ..self }
    }

    /// What was wrong.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The id as it was written, where one was read before the fault: the answer carries it.
    #[must_use]
    pub fn id(&self) -> Option<&[u8]> {
        self.id.as_deref()
    }

    /// True where the bytes are not JSON at all, false where they are JSON but not a valid message:
    /// JSON-RPC has one code for each.
    #[must_use]
    pub const fn is_parse_error(&self) -> bool {
        matches!(
            self.fault,
            Fault::NotUtf8 { .. }
                | Fault::NotJson { .. }
                | Fault::TooDeep { .. }
                | Fault::TooLong { .. }
        )
    }
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Expected { at, what } => Self::NotJson { at, expected: what },
            Stop::TooDeep { at } => Self::TooDeep { at },
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}. Nothing of it was forwarded; send one valid JSON-RPC 2.0 message in UTF-8.",
            self.fault
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { at } => write!(f, "The message is not UTF-8 at byte {at}"),
            Self::NotJson { at, expected } => {
                write!(
                    f,
                    "The message is not JSON: expected {expected} at byte {at}"
                )
            }
            Self::TooDeep { at } => {
                write!(
                    f,
                    "The message is nested more than 128 levels deep at byte {at}"
                )
            }
            Self::TooLong { bytes } => {
                write!(
                    f,
                    "The message has {bytes} bytes, more than can be read at once"
                )
            }
            Self::NotJsonRpc { reason } => write!(f, "The message is not JSON-RPC 2.0: {reason}"),
            Self::EmptyBatch => f.write_str("The batch is empty"),
            Self::BatchTooLong { max } => {
                write!(f, "The batch has more than {max} messages")
            }
        }
    }
}

impl std::error::Error for Malformed {}
