//! Walks over one whole value of any shape in a loop, its nesting kept in one bit per level.

use super::{
    Span,
    cursor::{Cursor, Stop},
};

/// The deepest nesting that is read: serde_json's and most clients' limit, so that nothing behind us chokes on what we pass.
const MAX_DEPTH: u32 = 128;

/// The containers that are open inside the value: bit 0 is the innermost, set for an object.
struct Open {
    objects: u128,
    here: u32,
    outside: u32,
}

impl Open {
    fn push(&mut self, object: bool, at: usize) -> Result<(), Stop> {
        if self.outside + self.here >= MAX_DEPTH {
            return Err(Stop::TooDeep { at });
        }
        self.here += 1;
        self.objects = self.objects << 1 | u128::from(object);
        Ok(())
    }

    const fn pop(&mut self) {
        self.here -= 1;
        self.objects >>= 1;
    }

    const fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

impl Cursor<'_> {
    /// One value, from its first byte, inside `outside` open containers. What it spans.
    pub(in crate::protocol) fn value(&mut self, outside: u32) -> Result<Span, Stop> {
        let start = self.at();
        let mut open = Open {
            objects: 0,
            here: 0,
            outside,
        };
        loop {
            let opened = self.begin(&mut open)?;
            if !opened && self.close(&mut open)? {
                return Ok(Span::new(start, self.at()));
            }
        }
    }

    /// A scalar, an empty container, or the opening of one that has members: true for the last.
    fn begin(&mut self, open: &mut Open) -> Result<bool, Stop> {
        match self.peek() {
            Some(b'"') => self.string().map(|()| false),
            Some(b'{') => self.begin_container(open, true, b'}'),
            Some(b'[') => self.begin_container(open, false, b']'),
            Some(b't') => self.literal("true").map(|()| false),
            Some(b'f') => self.literal("false").map(|()| false),
            Some(b'n') => self.literal("null").map(|()| false),
            Some(b'-' | b'0'..=b'9') => self.number().map(|()| false),
            _ => Err(self.expected("a value")),
        }
    }

    fn begin_container(&mut self, open: &mut Open, object: bool, end: u8) -> Result<bool, Stop> {
        open.push(object, self.at())?;
        self.bump();
        self.skip_space();
        if self.take(end) {
            open.pop();
            return Ok(false);
        }
        if object {
            self.name()?;
        }
        Ok(true)
    }

    /// Behind a value: closes what ends here and steps to the next value; true once nothing is open.
    fn close(&mut self, open: &mut Open) -> Result<bool, Stop> {
        while open.here > 0 {
            self.skip_space();
            let in_object = open.in_object();
            if self.take(b',') {
                self.skip_space();
                if in_object {
                    self.name()?;
                }
                return Ok(false);
            }
            self.end_container(in_object)?;
            open.pop();
        }
        Ok(true)
    }

    fn end_container(&mut self, object: bool) -> Result<(), Stop> {
        if object {
            return self.expect(b'}', "a comma or the end of the object");
        }
        self.expect(b']', "a comma or the end of the array")
    }
}
