//! A request that is sent many times, each time under an id of its own.

use std::io;

use memchr::memmem;

/// The first id; all have as many digits, so that requests and answers keep their lengths.
pub(crate) const FIRST_ID: u64 = 100_000_000;
const DIGITS: usize = 9;

/// The bytes of a request in which only the id changes.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    bytes: Vec<u8>,
    id_at: usize,
}

impl Ask {
    /// Takes a request that is written with [`FIRST_ID`].
    pub(crate) fn new(bytes: Vec<u8>) -> io::Result<Self> {
        let id_at = memmem::find(&bytes, &member(FIRST_ID))
            .ok_or_else(|| io::Error::other("the request bears no id"))?;
        let id_at = id_at + member(FIRST_ID).len() - DIGITS;
        Ok(Self { bytes, id_at })
    }

    /// The request under that id.
    pub(crate) fn under(&mut self, id: u64) -> &[u8] {
        self.bytes[self.id_at..self.id_at + DIGITS].copy_from_slice(&digits(id));
        &self.bytes
    }
}

/// `"id":` and the number.
pub(super) fn member(id: u64) -> Vec<u8> {
    [b"\"id\":".as_slice(), &digits(id)].concat()
}

/// The last nine digits of a number.
fn digits(mut number: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(number % 10).unwrap_or(0)];
        number /= 10;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_changes() {
        let mut ask =
            Ask::new(format!(r#"{{"id":{FIRST_ID},"n":100000000}}"#).into_bytes()).unwrap();
        assert_eq!(ask.under(123_456_789), br#"{"id":123456789,"n":100000000}"#);
        assert_eq!(ask.under(FIRST_ID), br#"{"id":100000000,"n":100000000}"#);
    }
}
