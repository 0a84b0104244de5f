//! Which bucket a latency falls into: the layout of `hdrhistogram` with two significant digits, in microseconds.

/// Values of up to so many bits have a bucket each; every further bit adds half as many. Loom gets four buckets in all.
const EXACT_BITS: u32 = if cfg!(loom) { 2 } else { 8 };
const HIGHEST_BITS: u32 = if cfg!(loom) { 2 } else { 27 };
const HALF: u32 = 1 << (EXACT_BITS - 1);

/// The longest latency that has a bucket, in microseconds: 134 s. Anything longer is put there and counted as clamped.
pub const HIGHEST_US: u64 = (1 << HIGHEST_BITS) - 1;

/// How many buckets there are: 2,688, each at most 1/128 (0.8 %) wide.
pub(super) const BUCKETS: usize = ((HIGHEST_BITS - EXACT_BITS + 2) * HALF) as usize;

/// The bucket of `us`, which the caller has clamped to [`HIGHEST_US`].
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a bucket index is below 2,688"
)]
pub(super) const fn index_of(us: u64) -> usize {
    let doublings = u64::BITS - EXACT_BITS - (us | HALF as u64).leading_zeros();
    (doublings * HALF) as usize + (us >> doublings) as usize
}

/// The smallest latency of a bucket.
pub(super) const fn lowest_of(index: usize) -> u64 {
    let (index, half) = (index as u64, HALF as u64);
    let doublings = (index / half).saturating_sub(1);
    (index - doublings * half) << doublings
}

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_as_documented() {
        assert_eq!(BUCKETS, 2_688);
        assert_eq!(HIGHEST_US, 134_217_727);
        assert_eq!(index_of(HIGHEST_US), BUCKETS - 1);
    }

    #[test]
    fn each_bucket_begins_where_it_says() {
        for index in 0..BUCKETS {
            assert_eq!(index_of(lowest_of(index)), index);
            if index > 0 {
                assert_eq!(index_of(lowest_of(index) - 1), index - 1);
            }
        }
    }

    #[test]
    fn no_bucket_is_wider_than_a_hundred_and_twenty_eighth() {
        for index in 1..BUCKETS - 1 {
            let (low, next) = (lowest_of(index), lowest_of(index + 1));
            assert!(
                next - low == 1 || (next - low) * 128 <= low,
                "{low}..{next}"
            );
        }
    }
}
