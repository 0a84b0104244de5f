//! Which bytes of a string need a look: eight at a time, and in long strings a block of them at once.

use wide::u8x16;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// So many bytes are looked at together in a long string.
pub(super) const BLOCK: usize = 64;

/// The number of bytes before the first quote, backslash or control character; all of them if there is none.
pub(super) fn plain_run(text: &[u8]) -> usize {
    let mut done = 0;
    while let Some(chunk) = text[done..].first_chunk::<8>() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return done + first_byte(special);
        }
        done += 8;
    }
    let tail = &text[done..];
    done + tail.iter().take_while(|byte| is_plain(**byte)).count()
}

/// A bit for each quote, backslash and control character of a block, the first byte's lowest.
#[inline]
pub(super) fn special_marks(block: &[u8; BLOCK]) -> u64 {
    let (lanes, _) = block.as_chunks::<16>();
    let marks = lanes.iter().map(|lane| lane_marks(u8x16::new(*lane)));
    marks.rev().fold(0, |behind, marks| behind << 16 | marks)
}

#[inline]
fn lane_marks(bytes: u8x16) -> u64 {
    let quotes = bytes.simd_eq(u8x16::splat(b'"'));
    let backslashes = bytes.simd_eq(u8x16::splat(b'\\'));
    let controls = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    (quotes | backslashes | controls).to_bitmask().into()
}

/// The high bit of each byte that is special. Borrows run upwards only, so the lowest mark is always true.
const fn special_bytes(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    (control | is_quote | is_backslash) & HIGHS
}

const fn first_byte(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

const fn is_plain(byte: u8) -> bool {
    byte >= 0x20 && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_run_ends_where_a_plain_loop_ends_it(text in proptest::collection::vec(any::<u8>(), 0..64)) {
            let slow = text.iter().take_while(|byte| is_plain(**byte)).count();
            prop_assert_eq!(plain_run(&text), slow);
        }

        #[test]
        fn each_special_byte_of_a_block_is_marked_and_no_other(block in prop::array::uniform32(any::<u16>())) {
            // Half of the bytes are noise, and half are near the three limits.
            let bytes: Vec<u8> = block.iter().flat_map(|pair| [pair.to_le_bytes()[0], b"\x1f\x20\x21\"#[\\]"[usize::from(pair >> 8) % 8]]).collect();
            let marks = special_marks(bytes.first_chunk().unwrap());
            for (at, byte) in bytes.iter().enumerate() {
                prop_assert_eq!(marks >> at & 1 == 0, is_plain(*byte), "{} at {}", byte, at);
            }
        }

        #[test]
        fn long_runs_of_plain_text_are_measured_exactly(length in 0usize..64, special in prop::sample::select(&b"\"\\\x00\x1f\n"[..])) {
            let mut text = vec![0xE4; length];
            text.push(special);
            text.extend_from_slice(b"\"\"\"\"\"\"\"\"");
            prop_assert_eq!(plain_run(&text), length);
        }
    }
}
