//! The revisions of MCP that are spoken, by their dates.

use std::fmt;

/// The revision in which each request stands for itself: no session is opened in it, so it is none of [`Revision`].
pub const MODERN: &str = "2026-07-28";

/// A revision of the protocol that opens with `initialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 2024-11-05
    V2024_11_05,
    /// 2025-03-26, the only one with batches
    V2025_03_26,
    /// 2025-06-18
    V2025_06_18,
    /// 2025-11-25
    V2025_11_25,
}

impl Revision {
    /// The newest of them.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;

    /// All of them, oldest first.
    pub const ALL: [Self; 4] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
    ];

    /// What a Streamable HTTP request without `MCP-Protocol-Version` speaks
    /// (MCP 2025-11-25, basic/transports, protocol version header).
    pub const WITHOUT_HEADER: Self = Self::V2025_03_26;

    /// The date as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
        }
    }

    /// The revision with this date.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// All revisions that clients may speak, [`MODERN`] included, newest first.
    pub fn supported() -> impl Iterator<Item = &'static str> {
        let legacy = Self::ALL.into_iter().rev().map(Self::as_str);
        [MODERN].into_iter().chain(legacy)
    }

    /// Whether a POST body may be an array of messages.
    #[must_use]
    pub const fn has_batches(self) -> bool {
        matches!(self, Self::V2025_03_26)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_revision_reads_back_from_its_date() {
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
        assert_eq!(Revision::parse("2025-11-26"), None);
        assert!(Revision::ALL.is_sorted());
    }
}
