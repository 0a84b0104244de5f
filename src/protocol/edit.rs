//! Changes single parts of a message and leaves every other byte as it is.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    Message, RawObject, quote,
    scan::{Part, Parts, Span},
};

/// An edit in the making. Parts that the message does not have stay absent; of two edits of one part the last counts.
#[derive(Debug)]
pub struct Edit<'a> {
    message: &'a Message,
    splices: [Splice<'a>; SLOTS],
    used: usize,
}

/// As many parts as can be edited, so that there is always a free slot.
const SLOTS: usize = 3;
/// How `params` names what it says of itself.
const META: &str = r#""_meta":"#;
/// As many pieces as an edited text can have: each splice and what lies before it, and the rest.
pub const PIECES: usize = 2 * SLOTS + 1;

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

    /// Replaces `params.name`.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.splice(Part::Name, Cow::Owned(quote(name)))
    }

    /// The message that is edited.
    #[must_use]
    pub const fn message(&self) -> &'a Message {
        self.message
    }

    /// Puts `members`, which are raw and have commas between them, before all others of `params._meta`, which is made where
    /// there is none. Nothing changes where [`Message::can_be_led`] says no, or three parts are replaced already.
    #[must_use]
    pub fn led_in_meta(mut self, members: &str) -> Self {
        let place = self.message.place_in_meta(&[]);
        let slot = self.splices.get_mut(self.used);
        if let (Some((at, has_meta)), Some(slot)) = (place, slot) {
            *slot = insertion(self.message, at, in_meta(members, has_meta));
            self.used += 1;
        }
        self
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
        let parts = self.moved_parts();
        self.message.with(bytes, parts)
    }

    /// Where the parts lie in the edited text.
    pub(super) fn moved_parts(&self) -> Parts {
        self.message.parts().moved(|span| self.moved(span))
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

    /// The edited text in order, none of it copied; pieces that are not needed are empty.
    #[must_use]
    pub fn pieces(&mut self) -> [&[u8]; PIECES] {
        let splices = &mut self.splices[..self.used];
        splices.sort_unstable_by_key(|splice| splice.span.start());
        let source = self.message.bytes();
        let mut pieces: [&[u8]; PIECES] = [b""; PIECES];
        let mut copied = 0;
        for (pair, splice) in pieces.chunks_exact_mut(2).zip(splices.iter()) {
            pair[0] = &source[copied..splice.span.start()];
            pair[1] = &splice.text;
            copied = splice.span.end();
        }
        pieces[PIECES - 1] = &source[copied..];
        pieces
    }

    fn write(&mut self) -> Bytes {
        if self.used == 0 {
            return self.message.bytes().clone();
        }
        self.pieces().concat().into()
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

impl Message {
    /// Its bytes with `members`, which are raw and have commas between them, before all others of `result`; the same bytes
    /// if that is no object.
    #[must_use]
    pub fn with_in_result(&self, members: &str) -> Bytes {
        let source = self.bytes();
        let start = self.parts().span(Part::Result).start();
        match source[start..].split_first() {
            Some((b'{', behind)) if start > 0 => {
                let members = leading(behind, members);
                [&source[..=start], members.as_bytes(), behind]
                    .concat()
                    .into()
            }
            _ => source.clone(),
        }
    }

    /// The same request with `members`, which are raw and have commas between them, before all others of `params`; the same
    /// request if that is no object.
    #[must_use]
    pub fn with_in_params(&self, members: &str) -> Self {
        let params = self.parts().span(Part::Params);
        if !params.of(self.bytes()).starts_with(b"{") {
            return self.clone();
        }
        self.inserted(params.start() + 1, members)
    }

    /// The same request with `members` as the first of `params._meta`, which is made where there is none, and without what it
    /// said there under `keys`; every other byte as it was.
    #[must_use]
    pub fn with_meta_members(&self, keys: &[&str], members: &str) -> Self {
        let plain = self.without_meta_members(keys);
        if let Some((at, has_meta)) = plain.place_in_meta(&[]) {
            let members = in_meta(members, has_meta);
            let value = Span::new(at + META.len(), at + members.len());
            let led = plain.led_by(at, members);
            return if has_meta {
                led
            } else {
                led.with_part(Part::Meta, value)
            };
        }
        if !self.parts().span(Part::Params).is_absent() {
            return self.clone();
        }
        let id = self.id().unwrap_or(b"null");
        let params = ["{", META, "{", members, "}}"].concat();
        let method = self.method().unwrap_or_default();
        Self::request(id, method, Some(params.as_bytes()))
    }

    /// Whether [`Edit::led_in_meta`] puts members into it: there are params to put them into, and it says nothing in `_meta`
    /// under `keys`.
    #[must_use]
    pub fn can_be_led(&self, keys: &[&str]) -> bool {
        self.place_in_meta(keys).is_some()
    }

    /// Where members of `_meta` go that come before all others, and whether there is one.
    fn place_in_meta(&self, keys: &[&str]) -> Option<(usize, bool)> {
        let meta = self.parts().span(Part::Meta);
        if !meta.is_absent() {
            let may_say = !keys.is_empty() && self.may_say_in_meta(keys);
            return (!may_say).then_some((meta.start() + 1, true));
        }
        let params = self.parts().span(Part::Params);
        let is_object = params.of(self.bytes()).starts_with(b"{");
        is_object.then_some((params.start() + 1, false))
    }

    /// Whether `_meta` may have members of these names; most messages have none.
    fn may_say_in_meta(&self, keys: &[&str]) -> bool {
        let meta = self.parts().span(Part::Meta).of(self.bytes());
        let names_one = |key: &&str| memchr::memmem::find(meta, key.as_bytes()).is_some();
        keys.iter().any(names_one) || memchr::memchr(b'\\', meta).is_some()
    }

    /// The same request without what it says in `_meta` under `keys`.
    pub(super) fn without_meta_members(&self, keys: &[&str]) -> Self {
        if !self.may_say_in_meta(keys) {
            return self.clone();
        }
        let meta = self.meta().unwrap_or_default();
        let mut rest = RawObject::parse(&meta).unwrap_or_default();
        let all = rest.0.len();
        rest.0.retain(|(key, _)| !keys.contains(&&**key));
        if rest.0.len() == all {
            return self.clone();
        }
        self.with_meta(&serde_json::to_vec(&rest).unwrap_or_default())
    }

    /// The same with `members` behind the brace that ends at `at`; nothing is scanned again.
    fn led_by(&self, at: usize, members: String) -> Self {
        let mut edit = self.edit();
        edit.splices[0] = insertion(self, at, members);
        edit.used = 1;
        edit.finish_message()
    }

    /// The same with `members` behind the brace that ends at `at`.
    pub(super) fn inserted(&self, at: usize, members: &str) -> Self {
        let (before, behind) = self.bytes().split_at(at);
        let text = [before, leading(behind, members).as_bytes(), behind].concat();
        Self::parse(text.into()).unwrap_or_else(|_| self.clone())
    }

    /// The same message with `meta`, a JSON object, in place of its `params._meta`; the same if it has none.
    #[must_use]
    pub fn with_meta(&self, meta: &[u8]) -> Self {
        let span = self.parts().span(Part::Meta);
        if span.is_absent() {
            return self.clone();
        }
        let source = self.bytes();
        let text = [&source[..span.start()], meta, &source[span.end()..]].concat();
        // It was a message before, and an object has taken the place of an object.
        Self::parse(text.into()).unwrap_or_else(|_| self.clone())
    }
}

/// `members` as they are put into a `_meta`, or into params that have none; there is room for a comma behind.
fn in_meta(members: &str, has_meta: bool) -> String {
    let mut text = String::with_capacity(META.len() + members.len() + "{},".len());
    if has_meta {
        text.push_str(members);
    } else {
        text.extend([META, "{", members, "}"]);
    }
    text
}

/// `members` behind the brace that ends at `at`.
fn insertion(message: &Message, at: usize, mut members: String) -> Splice<'static> {
    if !is_at_end(&message.bytes()[at..]) {
        members.push(',');
    }
    Splice {
        span: Span::new(at, at),
        text: Cow::Owned(members.into_bytes()),
    }
}

/// What stands behind the opening brace of an object that is to begin with `members`, before what is `behind` it now.
#[must_use]
pub fn leading(behind: &[u8], members: &str) -> String {
    [members, if is_at_end(behind) { "" } else { "," }].concat()
}

/// Whether an object ends before it has another member.
fn is_at_end(behind: &[u8]) -> bool {
    behind.trim_ascii_start().starts_with(b"}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::samples::{json, string};

    fn parse(text: &str) -> Message {
        Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    /// A call whose members stand in a given order, with the three parts that can be edited among them.
    fn call(order: bool, parts: [&str; 3], extra: &str) -> String {
        let [id, name, token] = parts;
        if order {
            return format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","x":{extra},"params":{{"name":{name},"_meta":{{"y":{extra},"progressToken":{token}}},"cursor":"c","arguments":{extra}}}}}"#
            );
        }
        format!(
            "{{\"params\" :\n{{\"_meta\":{{\"progressToken\":{token} }},\"cursor\":\"c\",\"z\":{extra},\"name\": {name}}}, \"method\":\"tools/call\",\"id\":{id} , \"jsonrpc\":\"2.0\"}}\n"
        )
    }

    proptest! {
        #[test]
        fn everything_outside_a_splice_stays_byte_for_byte(
            order: bool, extra in json(), old in [string(), string(), string()], new in [".*", ".*", ".*"],
        ) {
            let before = call(order, [&old[0], &old[1], &old[2]], &extra);
            let quoted = new.map(|text| String::from_utf8(quote(&text)).unwrap());
            let [id, name, token] = &quoted;
            let after = call(order, [id, name, token], &extra);
            let plain = quoted.each_ref().map(|text| serde_json::from_str::<String>(text).unwrap());
            let message = parse(&before);
            let edit = || {
                message.edit()
                    .name("overruled").name(&plain[1])
                    .id(id.as_bytes())
                    .progress_token(token.as_bytes())
            };
            prop_assert_eq!(edit().finish(), after.as_bytes());
            prop_assert_eq!(edit().pieces().concat(), after.as_bytes());
            let edited = edit().finish_message();
            let again = parse(&after);
            prop_assert_eq!(edited.bytes(), again.bytes());
            prop_assert_eq!(edited.id(), again.id());
            prop_assert_eq!(edited.method(), again.method());
            prop_assert_eq!(edited.params(), again.params());
            prop_assert_eq!(edited.name(), again.name());
            prop_assert_eq!(edited.cursor(), again.cursor());
            prop_assert_eq!(edited.meta(), again.meta());
            prop_assert_eq!(edited.progress_token(), again.progress_token());
            prop_assert_eq!(edited.arguments(), again.arguments());
        }
    }

    #[test]
    fn an_edit_of_nothing_shares_the_bytes() {
        let message = parse(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        let edited = message.edit().id(b"1").name("x").finish();
        assert_eq!(edited.as_ptr(), message.bytes().as_ptr());
    }

    #[test]
    fn another_meta_takes_the_place_of_the_old_one() {
        let call = parse(
            r#"{"id":1,"params":{"_meta": {"a":1,"progressToken":2} ,"name":"x"},"method":"tools/call","jsonrpc":"2.0"}"#,
        );
        let other = call.with_meta(br#"{"progressToken":"t"}"#);
        assert_eq!(
            other.bytes(),
            r#"{"id":1,"params":{"_meta": {"progressToken":"t"} ,"name":"x"},"method":"tools/call","jsonrpc":"2.0"}"#
        );
        assert_eq!(other.progress_token(), Some(&b"\"t\""[..]));
        assert_eq!(other.name().as_deref(), Some("x"));
    }

    #[test]
    fn members_of_meta_are_put_first_and_the_parts_are_found_again() {
        let members = r#""t":"p","s":1"#;
        for (before, after) in [
            (
                r#"{"id":1,"params":{"_meta":{"t":0,"progressToken":2},"name":"x"},"method":"m","jsonrpc":"2.0"}"#,
                r#"{"id":1,"params":{"_meta":{"t":"p","s":1,"progressToken":2},"name":"x"},"method":"m","jsonrpc":"2.0"}"#,
            ),
            (
                r#"{"id":1,"params":{"name":"x","_meta": { } },"method":"m","jsonrpc":"2.0"}"#,
                r#"{"id":1,"params":{"name":"x","_meta": {"t":"p","s":1 } },"method":"m","jsonrpc":"2.0"}"#,
            ),
            (
                r#"{"id":1,"params": {"name":"x","arguments":{"n":1e400}},"method":"m","jsonrpc":"2.0"}"#,
                r#"{"id":1,"params": {"_meta":{"t":"p","s":1},"name":"x","arguments":{"n":1e400}},"method":"m","jsonrpc":"2.0"}"#,
            ),
            (
                r#"{"id":1,"params":{},"method":"m","jsonrpc":"2.0"}"#,
                r#"{"id":1,"params":{"_meta":{"t":"p","s":1}},"method":"m","jsonrpc":"2.0"}"#,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"m"}"#,
                r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"t":"p","s":1}}}"#,
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}"#,
                r#"{"jsonrpc":"2.0","id":1,"method":"m","params":[1]}"#,
            ),
        ] {
            let plain = parse(before);
            let led = plain.edit().id(b"1").led_in_meta(members).finish();
            if plain.can_be_led(&["t"]) {
                assert_eq!(led, after);
            }
            let put = plain.with_meta_members(&["t"], members);
            let again = parse(after);
            assert_eq!(put.bytes(), again.bytes());
            assert_eq!(put.meta(), again.meta());
            assert_eq!(
                (put.id(), put.method(), put.name(), put.params()),
                (again.id(), again.method(), again.name(), again.params())
            );
            assert_eq!(
                (put.arguments(), put.progress_token()),
                (again.arguments(), again.progress_token())
            );
        }
    }

    #[test]
    fn a_progress_report_changes_its_own_token() {
        let progress = parse(
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":0.5,"_meta":{"progressToken":2}}}"#,
        );
        assert_eq!(
            progress.edit().progress_token(b"9").finish(),
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":9,"progress":0.5,"_meta":{"progressToken":2}}}"#
        );
    }
}
