//! The chunks of a body, out of the bytes as they come (RFC 9112, section 7.1).

use bytes::{Buf, Bytes, BytesMut};

/// The longest line that announces a chunk, in bytes: its size, and extensions that nobody reads.
const SIZE_LINE: usize = 256;
/// What may follow the last chunk, in bytes: header lines that nobody reads.
const TRAILER: usize = 8 << 10;

/// The length of a line's end, `\r\n`.
const LINE_END: usize = 2;

/// How far a chunked body has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Before the line that announces a chunk.
    Size,
    /// So many bytes of a chunk are to come.
    Data(u64),
    /// Before the line end behind a chunk.
    End,
    /// Behind the last chunk, in the lines that may follow it, after so many bytes of them.
    Trailer(usize),
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Bytes of the body.
    Piece(Bytes),
    /// Nothing before more bytes have come.
    More,
    /// The body has ended; what is left is not part of it.
    Over,
}

impl Chunks {
    /// Takes the next piece out of `unread`.
    ///
    /// # Errors
    /// Says what is wrong with the chunks.
    pub(super) fn next(&mut self, unread: &mut BytesMut) -> Result<Next, &'static str> {
        loop {
            match *self {
                Self::Size => {
                    let Some(end) = line(unread, SIZE_LINE)? else {
                        return Ok(Next::More);
                    };
                    *self = match size(&unread[..end])? {
                        0 => Self::Trailer(0),
                        size => Self::Data(size),
                    };
                    unread.advance(end + LINE_END);
                }
                Self::Data(_) if unread.is_empty() => return Ok(Next::More),
                Self::Data(left) => {
                    let here = usize::try_from(left).map_or(unread.len(), |n| n.min(unread.len()));
                    *self = match left - here as u64 {
                        0 => Self::End,
                        left => Self::Data(left),
                    };
                    return Ok(Next::Piece(unread.split_to(here).freeze()));
                }
                Self::End => {
                    if line(unread, 0)?.is_none() {
                        return Ok(Next::More);
                    }
                    unread.advance(LINE_END);
                    *self = Self::Size;
                }
                Self::Trailer(before) => {
                    let Some(end) = line(unread, TRAILER - before)? else {
                        return Ok(Next::More);
                    };
                    unread.advance(end + LINE_END);
                    if end == 0 {
                        return Ok(Next::Over);
                    }
                    *self = Self::Trailer((before + end + LINE_END).min(TRAILER));
                }
            }
        }
    }
}

/// Where the next line ends, if that is here; it may have up to `most` bytes.
fn line(unread: &[u8], most: usize) -> Result<Option<usize>, &'static str> {
    let window = &unread[..unread.len().min(most + LINE_END)];
    match memchr::memchr(b'\n', window) {
        Some(at) if at > 0 && window[at - 1] == b'\r' => Ok(Some(at - 1)),
        None if window.len() < most + LINE_END => Ok(None),
        _ => Err("its chunks are no chunks"),
    }
}

/// A size in hexadecimal digits, before extensions.
fn size(line: &[u8]) -> Result<u64, &'static str> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = digits.trim_ascii_end();
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(digits)
        .ok()
        .filter(|_| is_number)
        .and_then(|digits| u64::from_str_radix(digits, 16).ok())
        .ok_or("the size of a chunk is no number")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A body, and what is left behind it.
    type Read = (Vec<u8>, Vec<u8>);

    /// Reads `text` as it comes in pieces of `step` bytes.
    fn read(text: &[u8], step: usize) -> Result<Option<Read>, &'static str> {
        let (mut chunks, mut unread, mut body) = (Chunks::Size, BytesMut::new(), Vec::new());
        for (number, piece) in text.chunks(step).enumerate() {
            unread.extend_from_slice(piece);
            loop {
                match chunks.next(&mut unread)? {
                    Next::Piece(piece) => body.extend_from_slice(&piece),
                    Next::More => break,
                    Next::Over => {
                        let behind = &text[((number + 1) * step).min(text.len())..];
                        return Ok(Some((body, [&unread, behind].concat())));
                    }
                }
            }
        }
        Ok(None)
    }

    proptest! {
        #[test]
        fn a_body_comes_out_as_it_went_in_however_it_is_cut(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6), step in 1_usize..50,
        ) {
            let mut text = Vec::new();
            for piece in &pieces {
                text.extend_from_slice(format!("{:X};x=y\r\n", piece.len()).as_bytes());
                text.extend_from_slice(piece);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\nTrailer: x\r\n\r\nnext");
            let read = read(&text, step).unwrap().unwrap();
            prop_assert_eq!(read, (pieces.concat(), b"next".to_vec()));
        }

        #[test]
        fn noise_is_refused_or_waited_for_but_never_breaks_anything(noise: Vec<u8>, step in 1_usize..9) {
            let _ = read(&noise, step);
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for text in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "1\n",
            "ffffffffffffffffff\r\n",
            "2\r\nabcd",
            "2\r\nab\r\r",
            "1 1\r\n",
            " 1\r\n",
            "0x1\r\n",
        ] {
            assert!(read(text.as_bytes(), 1).is_err(), "{text:?}");
        }
    }

    #[test]
    fn lines_that_do_not_end_are_given_up() {
        let endless = format!("1;{}", "x".repeat(SIZE_LINE));
        assert!(read(endless.as_bytes(), 1).is_err());
        let trailer = format!("0\r\n{}", "a: b\r\n".repeat(TRAILER / 6 + 1));
        assert!(read(trailer.as_bytes(), 7).is_err());
    }

    #[test]
    fn a_chunk_larger_than_memory_is_taken_as_it_comes() {
        let read = read(b"ffffffffffffffff\r\nabc", 99).unwrap();
        assert_eq!(read, None);
    }
}
