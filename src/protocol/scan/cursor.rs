//! Walks over JSON text token by token, checking the grammar of RFC 8259 and keeping nothing but its place.

use super::{Span, plain::plain_run};

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
        loop {
            self.at += plain_run(&self.text[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.expected("no raw control character in a string")),
                None => return Err(self.expected("the closing quote of a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Stop> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
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
