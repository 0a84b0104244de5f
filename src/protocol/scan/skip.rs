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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::protocol::samples::{damaged, json, noise};

    fn accepts(text: &[u8]) -> Result<Span, Stop> {
        let mut cursor = Cursor::new(text);
        cursor.skip_space();
        let span = cursor.value(0)?;
        cursor.end().map(|()| span)
    }

    /// What long strings are made of; escapes fall on every place of a block and across its edge.
    const LONG_PIECES: [&str; 7] = [
        "a",
        "plain words",
        "\u{e9}\u{4e16}",
        r"\n",
        r#"\""#,
        r"\\",
        r"\u00e9",
    ];
    const FAULTS: [&str; 7] = ["", "\n", "\u{1f}", r"\x", r"\u12G4", "\"", "\u{7f}"];

    fn agrees(text: &[u8]) -> Result<(), TestCaseError> {
        let known = serde_json::from_slice::<&RawValue>(text);
        let ours = std::str::from_utf8(text)
            .ok()
            .and_then(|_| accepts(text).ok());
        let ours = ours.map(|span| span.of(text));
        prop_assert_eq!(ours, known.ok().map(|value| value.get().as_bytes()));
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn every_valid_value_is_accepted_whole(text in json()) {
            prop_assert_eq!(accepts(text.as_bytes()).map(|span| span.of(text.as_bytes())), Ok(text.as_bytes()));
        }

        #[test]
        fn a_long_string_is_accepted_exactly_where_serde_json_accepts_it(
            pieces in prop::collection::vec(prop::sample::select(&LONG_PIECES[..]), 0..60), fault in prop::sample::select(&FAULTS[..]),
            plain in 0usize..1000,
        ) {
            let text = ["x".repeat(plain), pieces.concat()].concat();
            let damaged = [text.as_str(), fault, &text].concat();
            for inside in [text.as_str(), &damaged, text.get(1..).unwrap_or("")] {
                agrees(format!("\"{inside}\"").as_bytes())?;
                agrees(format!("\"{inside}").as_bytes())?;
            }
        }

        #[test]
        fn a_damaged_value_is_accepted_exactly_where_serde_json_accepts_it(text in damaged()) {
            agrees(&text)?;
        }

        #[test]
        fn noise_is_accepted_exactly_where_serde_json_accepts_it(text in noise()) {
            agrees(&text)?;
        }
    }

    #[test]
    fn mixed_nesting_to_the_limit_is_closed_in_order() {
        let open: String = (0..64).map(|_| "{\"a\":[").collect();
        let close = "]}".repeat(64);
        assert!(accepts(format!("{open}{close}").as_bytes()).is_ok());
        assert!(accepts(format!("{open}1,2{close}").as_bytes()).is_ok());
        assert!(accepts(format!("{open}1}}]{}", "]}".repeat(63)).as_bytes()).is_err());
        let deeper = format!("{open}[{close}");
        assert_eq!(
            accepts(deeper.as_bytes()),
            Err(Stop::TooDeep { at: open.len() })
        );
    }

    #[test]
    fn a_stop_says_what_was_expected_and_where() {
        for (text, at, what) in [
            ("", 0, "a value"),
            ("[1 2]", 3, "a comma or the end of the array"),
            ("{\"a\":1 \"b\"}", 7, "a comma or the end of the object"),
            ("{\"a\" 1}", 5, "a colon"),
            ("{a:1}", 1, "a member name in double quotes"),
            ("\"abc", 4, "the closing quote of a string"),
            ("\"a\nb\"", 2, "no raw control character in a string"),
            ("\"\\x\"", 2, "an escape: one of \" \\ / b f n r t u"),
            ("\"\\u12g4\"", 5, "a hexadecimal digit"),
            ("-", 1, "a digit"),
            ("1.", 2, "a digit"),
            ("nul", 0, "null"),
            ("01", 1, "the end of the message"),
        ] {
            assert_eq!(
                accepts(text.as_bytes()),
                Err(Stop::Expected { at, what }),
                "{text}"
            );
        }
    }
}
