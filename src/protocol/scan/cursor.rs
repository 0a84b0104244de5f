//! Walks over JSON text token by token, checking the grammar of RFC 8259 and keeping nothing but its place.

use super::{
    Span,
    plain::{BLOCK, plain_run, special_marks},
};

/// Names and most values are not longer, in bytes; looking at a whole block of theirs would cost more.
const SHORT: usize = 16;

/// Whether a byte behind a backslash is an escape by itself. A table, since a jump for each of them is guessed wrong too often.
static ESCAPES: [bool; 256] = {
    let mut table = [false; 256];
    let mut left: &[u8] = b"\"\\/bfnrt";
    while let [first, rest @ ..] = left {
        table[*first as usize] = true;
        left = rest;
    }
    table
};

/// Where and why a walk ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::protocol) enum Stop {
    /// The byte at `at` is not what the grammar asks for.
    Expected { at: usize, what: &'static str },
    /// The container that opens at `at` is one level too deep.
    TooDeep { at: usize },
}

/// A place in a text that is known to be UTF-8 and at most `u32::MAX` bytes long.
pub(in crate::protocol) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(in crate::protocol) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    pub(in crate::protocol) const fn at(&self) -> usize {
        self.at
    }

    pub(in crate::protocol) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn slice(&self, span: Span) -> &'a [u8] {
        span.of(self.text)
    }

    /// Takes the next byte whatever it is; at the end it stays where it is.
    pub(super) fn bump(&mut self) {
        self.at = self.text.len().min(self.at + 1);
    }

    pub(in crate::protocol) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    pub(in crate::protocol) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(in crate::protocol) fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Stop> {
        if self.take(byte) {
            return Ok(());
        }
        Err(self.expected(what))
    }

    pub(in crate::protocol) const fn expected(&self, what: &'static str) -> Stop {
        Stop::Expected { at: self.at, what }
    }

    /// Space, then nothing.
    pub(in crate::protocol) fn end(&mut self) -> Result<(), Stop> {
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end of the message")),
        }
    }

    /// An object, from its brace on: `member` is called at each value with the span of the quoted name.
    pub(super) fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, Span) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.expect(b'{', "an object")?;
        self.skip_space();
        if self.take(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            member(self, name)?;
            self.skip_space();
            if self.take(b'}') {
                return Ok(());
            }
            self.expect(b',', "a comma or the end of the object")?;
            self.skip_space();
        }
    }

    /// A member's name with its colon, up to its value.
    pub(super) fn name(&mut self) -> Result<Span, Stop> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name in double quotes"));
        }
        self.string()?;
        let name = Span::new(start, self.at);
        self.skip_space();
        self.expect(b':', "a colon")?;
        self.skip_space();
        Ok(name)
    }

    /// A string, from its opening quote to behind its closing one.
    pub(super) fn string(&mut self) -> Result<(), Stop> {
        self.at += 1;
        let rest = &self.text[self.at..];
        self.at += plain_run(rest.get(..SHORT).unwrap_or(rest));
        if self.take(b'"') {
            return Ok(());
        }
        self.long_string()
    }

    /// Where a block begins does not hang on what the one before held, so that the processor looks at several at once: text
    /// with an escape in most blocks takes half the time so.
    fn long_string(&mut self) -> Result<(), Stop> {
        let mut start = self.at;
        let (blocks, _) = self.text[start..].as_chunks::<BLOCK>();
        for block in blocks {
            let mut marks = special_marks(block);
            if self.at > start {
                // The last escape of the block before reaches into this one.
                marks &= self.unread_of(start);
            }
            while marks != 0 {
                self.at = start + marks.trailing_zeros() as usize;
                if self.is_short_escape() {
                    self.at += 2;
                } else if self.is_closed()? {
                    return Ok(());
                }
                marks &= self.unread_of(start);
            }
            start += BLOCK;
            self.at = self.at.max(start);
        }
        loop {
            self.at += plain_run(&self.text[self.at..]);
            if self.is_closed()? {
                return Ok(());
            }
        }
    }

    /// A bit for each byte from here on of the block that begins at `start`.
    #[inline]
    fn unread_of(&self, start: usize) -> u64 {
        u64::MAX.unbounded_shl(u32::try_from(self.at - start).unwrap_or(u64::BITS))
    }

    /// Whether an escape of two characters begins here: most special bytes of a long text are one.
    #[inline]
    fn is_short_escape(&self) -> bool {
        let pair = self.text[self.at..].first_chunk::<2>();
        pair.is_some_and(|[first, second]| *first == b'\\' && ESCAPES[usize::from(*second)])
    }

    /// Steps over a special byte of a string: true over its closing quote, false over an escape.
    #[inline]
    fn is_closed(&mut self) -> Result<bool, Stop> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                Ok(true)
            }
            Some(b'\\') => self.escape().map(|()| false),
            Some(_) => Err(self.expected("no raw control character in a string")),
            None => Err(self.expected("the closing quote of a string")),
        }
    }

    fn escape(&mut self) -> Result<(), Stop> {
        self.at += 1;
        match self.peek() {
            Some(byte) if ESCAPES[usize::from(byte)] => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                (0..4).try_for_each(|_| self.hex_digit())
            }
            _ => Err(self.expected("an escape: one of \" \\ / b f n r t u")),
        }
    }

    fn hex_digit(&mut self) -> Result<(), Stop> {
        if self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
            self.at += 1;
            return Ok(());
        }
        Err(self.expected("a hexadecimal digit"))
    }

    /// A number of any size and precision: its text is never converted.
    pub(super) fn number(&mut self) -> Result<(), Stop> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Stop> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.expected("a digit"));
        }
        Ok(())
    }

    pub(super) fn literal(&mut self, word: &'static str) -> Result<(), Stop> {
        if self.text[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(());
        }
        Err(self.expected(word))
    }
}
