//! The name of one request, the same in every span, log line, header and backend call.

use std::fmt;

use uuid::{Uuid, fmt::Hyphenated};

/// A request id: a UUID taken from the caller's `x-request-id`, or a fresh random one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Uuid);

impl RequestId {
    /// The length of its text, in bytes.
    pub const LENGTH: usize = Hyphenated::LENGTH;

    /// A fresh random id (UUID version 4).
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// The id that a caller sent, if it is a UUID; else a fresh one.
    #[must_use]
    pub fn from_header(text: Option<&str>) -> Self {
        text.and_then(|text| Uuid::try_parse(text).ok())
            .map_or_else(Self::random, Self)
    }

    /// Its 128 bits, as they lie in the memory of this machine.
    #[must_use]
    pub const fn to_bits(self) -> u128 {
        u128::from_ne_bytes(*self.0.as_bytes())
    }

    /// The id that [`RequestId::to_bits`] was asked of.
    #[must_use]
    pub const fn of_bits(bits: u128) -> Self {
        Self(Uuid::from_bytes(bits.to_ne_bytes()))
    }

    /// The last of its bytes: random where the id is ours.
    #[must_use]
    pub fn last_byte(self) -> u8 {
        self.0.as_bytes()[15]
    }

    /// Its text, written into `buffer`: for a header, without an allocation of its own.
    #[must_use]
    pub fn encode(self, buffer: &mut [u8; Self::LENGTH]) -> &str {
        self.0.as_hyphenated().encode_lower(buffer)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valid_header_is_kept_and_anything_else_replaced() {
        let text = "67e55044-10b1-426f-9247-bb680e5fe0c8";
        assert_eq!(RequestId::from_header(Some(text)).to_string(), text);
        let fresh = RequestId::from_header(Some("not a uuid\n"));
        assert_ne!(fresh.to_string(), "not a uuid\n");
        assert_ne!(fresh, RequestId::from_header(None));
    }

    #[test]
    fn it_is_written_as_it_is_shown() {
        let id = RequestId::random();
        assert_eq!(id.encode(&mut [0; RequestId::LENGTH]), id.to_string());
    }
}
