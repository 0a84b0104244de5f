//! The encoding of protobuf, as far as the page needs it: fields one behind the other, messages behind their length
//! (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! A page of two thousand histograms has fifty thousand messages. Their lengths are known as they are written, so none is
//! built first and measured then.

/// Fields of a message while it grows. All field numbers are below 16: then a key is one byte.
#[derive(Debug, Default)]
pub(super) struct Wire(pub(super) Vec<u8>);

const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const LENGTH: u8 = 2;

/// What a `double` takes with its key, in bytes.
pub(super) const DOUBLE: usize = 9;

impl Wire {
    /// `int64`, `uint64` and enumerations.
    pub(super) fn whole(&mut self, field: u8, number: u64) {
        self.key(field, VARINT);
        self.varint(number);
    }

    /// `sint32` and `sint64`.
    pub(super) fn signed(&mut self, field: u8, number: i64) {
        self.whole(field, zigzag(number));
    }

    /// `double`.
    pub(super) fn double(&mut self, field: u8, number: f64) {
        self.key(field, FIXED_64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    /// `string`, and a message that is written already.
    pub(super) fn bytes(&mut self, field: u8, bytes: &[u8]) {
        self.begin(field, bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// The key and the length of a message whose fields come next.
    pub(super) fn begin(&mut self, field: u8, length: usize) {
        self.key(field, LENGTH);
        self.varint(length as u64);
    }

    /// `repeated sint64`, packed.
    pub(super) fn all_signed(&mut self, field: u8, numbers: &[i64]) {
        if numbers.is_empty() {
            return;
        }
        let length = numbers.iter().map(|number| length(zigzag(*number))).sum();
        self.begin(field, length);
        for number in numbers {
            self.varint(zigzag(*number));
        }
    }

    /// Without a key: seven bits a byte, the lowest first, and a sign that there is more.
    pub(super) fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push(lowest(number) | 0x80);
            number >>= 7;
        }
        self.0.push(lowest(number));
    }

    fn key(&mut self, field: u8, kind: u8) {
        self.0.push(field << 3 | kind);
    }
}

/// How many bytes [`Wire::varint`] writes.
pub(super) const fn length(number: u64) -> usize {
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

const fn lowest(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// Small numbers of either sign are small numbers without one.
const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_as_long_as_is_said() {
        for power in 0..64 {
            for number in [(1 << power) - 1, 1_u64 << power] {
                let mut wire = Wire::default();
                wire.varint(number);
                assert_eq!(wire.0.len(), length(number), "{number}");
                let back = prost::encoding::decode_varint(&mut &*wire.0);
                assert_eq!(back.unwrap(), number);
            }
        }
    }

    #[test]
    fn signs_are_put_last() {
        let all = [0, -1, 1, -2, i64::MAX, i64::MIN];
        assert_eq!(all.map(zigzag), [0, 1, 2, 3, u64::MAX - 1, u64::MAX]);
    }
}
