//! The ids under which requests go to one backend.

use crate::lockfree::Counter;

/// So that every id has ten digits for the first eight billion requests and fits in 32 bits for the first billion: a
/// client's id, which most often is shorter, then takes its place in the answer, and nothing is copied.
const BEFORE_FIRST: u64 = 1_000_000_000;

/// Numbers that no other request to the same backend bears.
#[derive(Debug, Default)]
pub(super) struct Serials(Counter);

impl Serials {
    pub(super) fn next(&self) -> u64 {
        BEFORE_FIRST + self.0.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_new_and_has_ten_digits() {
        let serials = Serials::default();
        assert_eq!(serials.next(), 1_000_000_001);
        assert_eq!(serials.next(), 1_000_000_002);
    }
}
