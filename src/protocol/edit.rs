//! Changes single parts of a message and leaves every other byte as it is.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    Message, quote,
    scan::{Part, Span},
};

/// An edit in the making. Parts that the message does not have stay absent; of two edits of one part the last counts.
#[derive(Debug)]
pub struct Edit<'a> {
    message: &'a Message,
    splices: [Splice<'a>; SLOTS],
    used: usize,
}

/// As many parts as can be edited, so that there is always a free slot.
const SLOTS: usize = 6;

#[derive(Clone, Debug)]
struct Splice<'a> {
    span: Span,
    text: Cow<'a, [u8]>,
}

impl Splice<'_> {
    const UNUSED: Self = Self {
        span: Span::ABSENT,
        text: Cow::Borrowed(b""),
    };
}

impl<'a> Edit<'a> {
    pub(super) const fn new(message: &'a Message) -> Self {
        Self {
            message,
            splices: [const { Splice::UNUSED }; SLOTS],
            used: 0,
        }
    }

    /// Replaces the id by the JSON text `raw`.
    #[must_use]
    pub fn id(self, raw: &'a [u8]) -> Self {
        self.splice(Part::Id, Cow::Borrowed(raw))
    }

    /// Replaces what [`Message::progress_token`] gives by the JSON text `raw`.
    #[must_use]
    pub fn progress_token(self, raw: &'a [u8]) -> Self {
        let part = self.message.progress_part();
        self.splice(part, Cow::Borrowed(raw))
    }

    /// Replaces what [`Message::cancelled_id`] gives by the JSON text `raw`.
    #[must_use]
    pub fn cancelled_id(self, raw: &'a [u8]) -> Self {
        self.splice(Part::RequestId, Cow::Borrowed(raw))
    }

    /// Replaces `params.name`.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.splice(Part::Name, Cow::Owned(quote(name)))
    }

    /// Replaces `params.uri`.
    #[must_use]
    pub fn uri(self, uri: &str) -> Self {
        self.splice(Part::Uri, Cow::Owned(quote(uri)))
    }

    /// Replaces `params.cursor`.
    #[must_use]
    pub fn cursor(self, cursor: &str) -> Self {
        self.splice(Part::Cursor, Cow::Owned(quote(cursor)))
    }

    /// The edited text.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        self.write()
    }

    /// The edited message; nothing is scanned again.
    #[must_use]
    pub fn finish_message(mut self) -> Message {
        let bytes = self.write();
        let parts = self.message.parts().moved(|span| self.moved(span));
        self.message.with(bytes, parts)
    }

    fn splice(mut self, part: Part, text: Cow<'a, [u8]>) -> Self {
        let span = self.message.parts().span(part);
        if span.is_absent() {
            return self;
        }
        let used = &mut self.splices[..self.used];
        if let Some(earlier) = used.iter_mut().find(|splice| splice.span == span) {
            earlier.text = text;
        } else {
            self.splices[self.used] = Splice { span, text };
            self.used += 1;
        }
        self
    }

    fn write(&mut self) -> Bytes {
        let splices = &mut self.splices[..self.used];
        if splices.is_empty() {
            return self.message.bytes().clone();
        }
        splices.sort_unstable_by_key(|splice| splice.span.start());
        let source = self.message.bytes();
        let added: usize = splices.iter().map(|splice| splice.text.len()).sum();
        let mut edited = Vec::with_capacity(source.len() + added);
        let mut copied = 0;
        for splice in splices.iter() {
            edited.extend_from_slice(&source[copied..splice.span.start()]);
            edited.extend_from_slice(&splice.text);
            copied = splice.span.end();
        }
        edited.extend_from_slice(&source[copied..]);
        edited.into()
    }

    /// Where a span of the old text lies in the new one. Splices lie inside a span or outside of it, never across its edge.
    fn moved(&self, span: Span) -> Span {
        let start = self.shifted(span.start(), |splice| splice.end() <= span.start());
        let end = self.shifted(span.end(), |splice| splice.start() < span.end());
        Span::new(start, end)
    }

    fn shifted(&self, edge: usize, is_before: impl Fn(Span) -> bool) -> usize {
        let before = self.splices[..self.used]
            .iter()
            .filter(|splice| is_before(splice.span));
        let (added, removed) = before.fold((0, 0), |(added, removed), splice| {
            (
                added + splice.text.len(),
                removed + splice.span.end() - splice.span.start(),
            )
        });
        edge + added - removed
    }
}
