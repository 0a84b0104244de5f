//! What is said by both of two subscriptions that are heard at once, and is told once.

use std::collections::HashMap;

use bytes::Bytes;

/// Different messages that are remembered; further ones are told as often as they are heard.
const MOST: usize = 1024;

/// Which of two subscriptions says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    Now,
    Next,
}

/// How much more often each message was heard of one than of the other: positive where that is [`Voice::Now`].
#[derive(Default)]
pub(super) struct Twice(HashMap<Bytes, i32>);

impl Twice {
    /// Whether a message is one that the other voice has not said yet.
    pub(super) fn is_new(&mut self, voice: Voice, message: &Bytes) -> bool {
        if self.0.len() >= MOST && !self.0.contains_key(message) {
            return true;
        }
        let ahead = self.0.entry(message.clone()).or_default();
        let step = match voice {
            Voice::Now => 1,
            Voice::Next => -1,
        };
        let is_new = *ahead * step >= 0;
        *ahead += step;
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_say_is_new_once_however_often_and_in_whatever_order() {
        let mut twice = Twice::default();
        let mut told = |said: &[(Voice, &'static str)]| {
            let is_new = |(voice, text): &&(Voice, &'static str)| {
                twice.is_new(*voice, &Bytes::from_static(text.as_bytes()))
            };
            said.iter().filter(is_new).count()
        };
        use Voice::{Next, Now};
        assert_eq!(told(&[(Now, "a"), (Now, "a"), (Next, "a"), (Next, "a")]), 2);
        assert_eq!(told(&[(Next, "a"), (Now, "a"), (Now, "b")]), 2);
        assert_eq!(
            told(&[
                (Now, "a"),
                (Next, "b"),
                (Next, "a"),
                (Next, "a"),
                (Now, "a")
            ]),
            2
        );
    }
}
