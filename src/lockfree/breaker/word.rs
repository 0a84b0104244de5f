//! The 64 bits of a breaker as a value: no atomics, no policy, no decisions.
//! `transitions.md` beside this file draws them.

use bytemuck::{Pod, Zeroable};

const OPENS_AT: u32 = 3;
const GENERATION_AT: u32 = 8;
const PAYLOAD_AT: u32 = 26;
const OPENS_BITS: u32 = 5;
pub(super) const GENERATION_BITS: u32 = 18;
const PAYLOAD_BITS: u32 = 38;

const LEASE_BITS: u32 = 30;
/// A lease end is kept in steps of 2^8 ms, so that its 30 bits reach as far as the 38 bits of a due time.
const LEASE_STEP: u32 = 8;
const SUCCESSES_AT: u32 = LEASE_BITS;
const IN_FLIGHT_AT: u32 = LEASE_BITS + 4;
const KNOWN_AT: u32 = 32;

/// The last moment the word can hold: 8.7 years in milliseconds.
pub(super) const LAST_MS: u64 = mask(PAYLOAD_BITS);

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// What the payload means and what the word does with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u64)]
pub(super) enum Phase {
    Closed = 0,
    Open = 1,
    HalfOpen = 2,
    ForcedOpen = 3,
    ForcedClosed = 4,
    Disabled = 5,
}

/// The last results, newest in bit 0, and how many of them are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) results: u32,
    pub(super) known: u32,
}

/// The probes of one half-open phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Probes {
    pub(super) in_flight: u32,
    pub(super) successes: u32,
    /// When the youngest probe is given up, in milliseconds, rounded up to 256.
    pub(super) lease_ends_ms: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(transparent)]
pub(super) struct Word(u64);

impl Word {
    /// A word that no breaker ever holds.
    pub(super) const NEVER: Self = Self(u64::MAX);

    #[inline]
    pub(super) const fn phase(self) -> Phase {
        match self.0 & mask(OPENS_AT) {
            0 => Phase::Closed,
            1 => Phase::Open,
            2 => Phase::HalfOpen,
            3 => Phase::ForcedOpen,
            4 => Phase::ForcedClosed,
            _ => Phase::Disabled,
        }
    }

    /// How often the breaker has opened since it last recovered, at most 31.
    pub(super) const fn opens_in_a_row(self) -> u32 {
        low(self.0 >> OPENS_AT) & 31
    }

    /// Counts the changes of phase, modulo 2^18.
    #[inline]
    pub(super) const fn generation(self) -> u32 {
        low(self.0 >> GENERATION_AT) & low(mask(GENERATION_BITS))
    }

    #[inline]
    pub(super) const fn payload(self) -> u64 {
        self.0 >> PAYLOAD_AT
    }

    /// Failures in a row, in a closed word that counts them.
    pub(super) fn row(self) -> u32 {
        u32::try_from(self.payload()).unwrap_or(u32::MAX)
    }

    /// The results on record, in a closed word that keeps a window.
    pub(super) const fn window(self) -> Window {
        Window {
            results: low(self.payload()),
            known: low(self.payload() >> KNOWN_AT),
        }
    }

    /// When the next probe is due, in an open word.
    pub(super) const fn due_ms(self) -> u64 {
        self.payload()
    }

    /// The probes of a half-open word.
    pub(super) const fn probes(self) -> Probes {
        let payload = self.payload();
        Probes {
            in_flight: low(payload >> IN_FLIGHT_AT) & 15,
            successes: low(payload >> SUCCESSES_AT) & 15,
            lease_ends_ms: (payload & mask(LEASE_BITS)) << LEASE_STEP,
        }
    }

    /// This word as it would be in generation 0.
    #[inline]
    pub(super) const fn in_first_generation(self) -> Self {
        Self(self.0 & !(mask(GENERATION_BITS) << GENERATION_AT))
    }

    pub(super) const fn with_row(self, failures: u32) -> Self {
        self.with_payload(failures as u64)
    }

    pub(super) const fn with_window(self, window: Window) -> Self {
        self.with_payload((window.known as u64) << KNOWN_AT | window.results as u64)
    }

    pub(super) fn with_probes(self, probes: Probes) -> Self {
        let steps = probes.lease_ends_ms.div_ceil(1 << LEASE_STEP);
        self.with_payload(
            u64::from(probes.in_flight & 15) << IN_FLIGHT_AT
                | u64::from(probes.successes & 15) << SUCCESSES_AT
                | steps.min(mask(LEASE_BITS)),
        )
    }

    pub(super) fn with_due_ms(self, due_ms: u64) -> Self {
        self.with_payload(due_ms.min(LAST_MS))
    }

    /// The first word of the next generation, in another phase or anew in the same.
    pub(super) const fn next(self, phase: Phase, opens_in_a_row: u32) -> Self {
        let generation = self.generation().wrapping_add(1) as u64 & mask(GENERATION_BITS);
        let opens = if opens_in_a_row > low(mask(OPENS_BITS)) {
            mask(OPENS_BITS)
        } else {
            opens_in_a_row as u64
        };
        Self(generation << GENERATION_AT | opens << OPENS_AT | phase as u64)
    }

    #[inline]
    const fn with_payload(self, payload: u64) -> Self {
        Self(payload << PAYLOAD_AT | self.0 & mask(PAYLOAD_AT))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the low half is what the caller asks for"
)]
const fn low(bits: u64) -> u32 {
    bits as u32
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    #[test]
    fn all_zero_is_closed_and_fresh() {
        let word = Word::default();
        assert_eq!(word.phase(), Phase::Closed);
        assert_eq!(
            (word.row(), word.generation(), word.opens_in_a_row()),
            (0, 0, 0)
        );
    }

    #[test]
    fn every_field_keeps_its_value_beside_full_neighbours() {
        let mut word = Word::default();
        for _ in 1..1 << 18 {
            word = word.next(Phase::HalfOpen, 99);
        }
        let probes = Probes {
            in_flight: 15,
            successes: 15,
            lease_ends_ms: ((1 << 30) - 1) << 8,
        };
        let full = word.with_probes(probes);
        assert_eq!(full.probes(), probes);
        assert_eq!(full.generation(), (1 << 18) - 1);
        assert_eq!((full.opens_in_a_row(), full.phase()), (31, Phase::HalfOpen));
        assert_eq!(full.with_due_ms(u64::MAX).due_ms(), (1 << 38) - 1);
        assert_eq!(full.with_row(u32::MAX).row(), u32::MAX);
        let window = Window {
            results: u32::MAX,
            known: 32,
        };
        assert_eq!(full.with_window(window).window(), window);
        let first = full.in_first_generation();
        assert_eq!((first.generation(), first.probes()), (0, probes));
        assert_eq!(
            (first.opens_in_a_row(), first.phase()),
            (31, Phase::HalfOpen)
        );
        assert_eq!(full.next(Phase::Closed, 0), Word::default());
    }

    #[test]
    fn every_phase_reads_back() {
        for phase in [
            Phase::Closed,
            Phase::Open,
            Phase::HalfOpen,
            Phase::ForcedOpen,
            Phase::ForcedClosed,
            Phase::Disabled,
        ] {
            assert_eq!(Word::default().next(phase, 0).phase(), phase);
        }
    }

    #[test]
    fn a_lease_end_is_rounded_up_to_its_step() {
        let probes = Probes {
            in_flight: 1,
            successes: 0,
            lease_ends_ms: 513,
        };
        assert_eq!(
            Word::default().with_probes(probes).probes().lease_ends_ms,
            768
        );
    }
}
