//! Cuts an event stream into lines: LF, CR or CR LF ends one, also across chunks, and a byte order mark at the start is dropped.

use crate::protocol::overlong::keep_end;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The line that is being read, of which at most `max` bytes are kept.
#[derive(Debug)]
pub(super) struct Lines {
    max: usize,
    line: Vec<u8>,
    /// The last of the bytes that were not kept.
    tail: Vec<u8>,
    length: usize,
    after_cr: bool,
    at_start: bool,
}

impl Lines {
    pub(super) const fn new(max: usize) -> Self {
        Self {
            max,
            line: Vec::new(),
            tail: Vec::new(),
            length: 0,
            after_cr: false,
            at_start: true,
        }
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.line.len()
    }

    /// Calls `each` with every line that ends in this chunk: what was kept of it, the end of what was not, and its whole
    /// length.
    pub(super) fn push(&mut self, chunk: &[u8], mut each: impl FnMut(&[u8], &[u8], usize)) {
        let mut rest = chunk;
        if !rest.is_empty() && std::mem::take(&mut self.after_cr) {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', rest) {
            self.extend(&rest[..end]);
            self.end_line(&mut each);
            rest = self.behind(rest, end);
        }
        self.extend(rest);
    }

    /// Room for a byte order mark is kept beside the bound, for it is not part of the first line.
    fn extend(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
        let room = self
            .max
            .saturating_add(BYTE_ORDER_MARK.len())
            .saturating_sub(self.line.len());
        let (kept, skipped) = bytes.split_at(room.min(bytes.len()));
        self.line.extend_from_slice(kept);
        keep_end(&mut self.tail, skipped);
    }

    fn end_line(&mut self, each: &mut impl FnMut(&[u8], &[u8], usize)) {
        let mut line = self.line.as_slice();
        let mut length = std::mem::take(&mut self.length);
        if std::mem::take(&mut self.at_start)
            && let Some(behind) = line.strip_prefix(BYTE_ORDER_MARK)
        {
            line = behind;
            length -= BYTE_ORDER_MARK.len();
        }
        each(line, &self.tail, length);
        self.line.clear();
        self.tail.clear();
    }

    fn behind<'a>(&mut self, rest: &'a [u8], end: usize) -> &'a [u8] {
        let was_cr = rest[end] == b'\r';
        let rest = &rest[end + 1..];
        self.after_cr = was_cr && rest.is_empty();
        match rest.strip_prefix(b"\n") {
            Some(behind) if was_cr => behind,
            _ => rest,
        }
    }
}
