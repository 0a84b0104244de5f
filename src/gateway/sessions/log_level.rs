//! The levels of a log message.

use crate::protocol::{Message, RawObject, Text};

/// The levels of a log message, from RFC 5424, the chattiest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::gateway) enum LogLevel {
    Debug,
    Info,
    Notice,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

impl LogLevel {
    pub(super) const ALL: [Self; 8] = [
        Self::Debug,
        Self::Info,
        Self::Notice,
        Self::Warning,
        Self::Error,
        Self::Critical,
        Self::Alert,
        Self::Emergency,
    ];

    /// Its name on the wire.
    pub(in crate::gateway) const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
            Self::Alert => "alert",
            Self::Emergency => "emergency",
        }
    }

    /// The level in `params.level`: of a log message, or as somebody asks for it.
    pub(in crate::gateway) fn of(message: &Message) -> Option<Self> {
        let params = message.params()?;
        let Text(level) = RawObject::parse(&params)?.read("level")?;
        Self::parse(&level)
    }

    /// All names, for somebody who used another one.
    pub(in crate::gateway) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    pub(in crate::gateway) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == text)
    }
}
