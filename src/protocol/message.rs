//! A JSON-RPC message as it came: its bytes, and where the parts lie that routing needs.

use std::{borrow::Cow, fmt, sync::Arc};

use bytes::{Buf, Bytes};

use super::{
    Edit, Malformed,
    judge::{forget_other_half, is_id, judge},
    malformed::Fault,
    raw_object::{RawObject, Text},
    scan::{Part, Parts, Span, envelope, text_of},
};

/// A JSON-RPC message as it came. It is one pointer, because it is handed through many floors; a clone shares everything.
///
/// Parts are given as the text that was sent, so that numbers and unknown members stay as they are.
#[derive(Clone)]
pub struct Message(Arc<Inner>);

struct Inner {
    bytes: Bytes,
    parts: Parts,
    kind: Kind,
    /// The method, where its text in `bytes` is written with escapes.
    unescaped_method: Option<Arc<str>>,
    /// The message that it repeats.
    original: Option<Message>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It has a method and an id, and wants an answer.
    Request,
    /// It has a method and no id.
    Notification,
    /// It has a result or an error.
    Response,
}

impl Message {
    /// Reads one message and checks all of it, so that malformed JSON goes no further.
    ///
    /// # Errors
    /// Says at which byte what was expected, or which rule of JSON-RPC 2.0 is broken.
    pub fn parse(bytes: Bytes) -> Result<Self, Malformed> {
        match check_text(&bytes) {
            Ok(()) => Self::read(bytes),
            Err(malformed) => Err(malformed.with_id(id_despite(&bytes))),
        }
    }

    /// Reads one message from text that passed [`check_text`].
    pub(super) fn read(bytes: Bytes) -> Result<Self, Malformed> {
        let mut parts = Parts::default();
        let walked = envelope(&bytes, &mut parts).map_err(Fault::from);
        forget_other_half(&bytes, &mut parts);
        let judged = walked
            .and_then(|()| judge(&bytes, &parts).map_err(|reason| Fault::NotJsonRpc { reason }));
        match judged {
            Ok((kind, method)) => Ok(Self::assembled(bytes, parts, kind, method)),
            Err(fault) => {
                let id = parts.span(Part::Id);
                let known = is_id(id.of(&bytes));
                let id = known.then(|| bytes.slice(id.start()..id.end()));
                Err(Malformed::new(fault, id))
            }
        }
    }

    /// A message whose parts are known, its method beside it where the text escapes it.
    pub(super) fn assembled(
        bytes: Bytes,
        parts: Parts,
        kind: Kind,
        unescaped_method: Option<Arc<str>>,
    ) -> Self {
        Self(Arc::new(Inner {
            bytes,
            parts,
            kind,
            unescaped_method,
            original: None,
        }))
    }

    /// The same message after an edit.
    pub(super) fn with(&self, bytes: Bytes, parts: Parts) -> Self {
        Self::assembled(bytes, parts, self.0.kind, self.0.unescaped_method.clone())
    }

    /// The same message as `known` under another id, if it is that byte for byte: then nothing of it is scanned.
    #[must_use]
    pub fn again(known: &Self, bytes: &Bytes) -> Option<Self> {
        let earlier = known.bytes();
        let id = known.parts().span(Part::Id);
        let behind = bytes.len().checked_sub(earlier.len() - id.end())?;
        let digits = bytes.get(id.start()..behind)?;
        let is_same = !id.is_absent()
            && is_whole_number(digits)
            && bytes[..id.start()] == earlier[..id.start()]
            && bytes[behind..] == earlier[id.end()..];
        is_same.then(|| {
            Self(Arc::new(Inner {
                bytes: bytes.clone(),
                parts: known.edit().id(digits).moved_parts(),
                kind: known.0.kind,
                unescaped_method: known.0.unescaped_method.clone(),
                original: Some(known.clone()),
            }))
        })
    }

    /// The earlier message that this one repeats under another id; itself where it repeats none.
    #[must_use]
    pub fn original(&self) -> &Self {
        self.0.original.as_ref().unwrap_or(self)
    }

    /// Its bytes with `id` in place of its own. Where nobody else holds the message, and the new id is not longer, what
    /// lies before the id moves up to it, and nothing else is touched.
    #[must_use]
    pub fn under(self, id: &[u8]) -> Bytes {
        let span = self.parts().span(Part::Id);
        let old = span.end() - span.start();
        if span.is_absent() || id.len() > old {
            return self.edit().id(id).finish();
        }
        let whole = match Arc::try_unwrap(self.0).map(|inner| inner.bytes.try_into_mut()) {
            Ok(Ok(whole)) => Ok(whole),
            Ok(Err(shared)) => Err(shared),
            Err(shared) => Err(shared.bytes.clone()),
        };
        let gap = old - id.len();
        match whole {
            Ok(mut whole) => {
                whole.copy_within(..span.start(), gap);
                whole[span.start() + gap..span.end()].copy_from_slice(id);
                whole.advance(gap);
                whole.freeze()
            }
            Err(shared) => [&shared[..span.start()], id, &shared[span.end()..]]
                .concat()
                .into(),
        }
    }

    /// What it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The whole message as it came.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.0.bytes
    }

    /// The id as it was written: a string with its quotes, an integer, or `null` on an error response.
    #[must_use]
    pub fn id(&self) -> Option<&[u8]> {
        self.raw(Part::Id)
    }

    /// The method of a request or notification.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        if let Some(method) = &self.0.unescaped_method {
            return Some(method);
        }
        let quoted = self.raw(Part::Method)?;
        std::str::from_utf8(quoted.get(1..quoted.len() - 1)?).ok()
    }

    /// `params`, an object or an array; absent where it is `null`.
    #[must_use]
    pub fn params(&self) -> Option<Bytes> {
        self.slice(Part::Params).filter(|params| params != "null")
    }

    /// `result` of a response.
    #[must_use]
    pub fn result(&self) -> Option<Bytes> {
        self.slice(Part::Result)
    }

    /// Whether `result` has `resultType`, and the two members by which it may be kept for a time: `ttlMs`, `cacheScope`.
    #[must_use]
    pub fn result_says(&self) -> [bool; 3] {
        [Part::ResultType, Part::TtlMs, Part::CacheScope].map(|part| self.parts().has(part))
    }

    /// Whether `result` says that its call waits for input (MCP 2026-07-28, basic/patterns/mrtr).
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.raw(Part::ResultType) == Some(b"\"input_required\"")
    }

    /// Whether `result.isError` of a response is true: the tool has answered that this call failed.
    #[must_use]
    pub fn is_tool_error(&self) -> bool {
        self.raw(Part::IsError) == Some(b"true")
    }

    /// `error` of a response, an object.
    #[must_use]
    pub fn error(&self) -> Option<Bytes> {
        self.slice(Part::Error)
    }

    /// `error.code` of a response, where it is an integer.
    #[must_use]
    pub fn error_code(&self) -> Option<i64> {
        std::str::from_utf8(self.raw(Part::ErrorCode)?)
            .ok()?
            .parse()
            .ok()
    }

    /// `error.message` of a response, where it is a string.
    #[must_use]
    pub fn error_message(&self) -> Option<Cow<'_, str>> {
        self.text(Part::ErrorMessage)
    }

    /// `params.name`, where it is a string: the tool or prompt.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'_, str>> {
        self.text(Part::Name)
    }

    /// `params.uri`, where it is a string: the resource.
    #[must_use]
    pub fn uri(&self) -> Option<Cow<'_, str>> {
        self.text(Part::Uri)
    }

    /// `params.arguments` as it was written.
    #[must_use]
    pub fn arguments(&self) -> Option<Bytes> {
        self.slice(Part::Arguments)
    }

    /// `params.cursor`, where it is a string.
    #[must_use]
    pub fn cursor(&self) -> Option<Cow<'_, str>> {
        self.text(Part::Cursor)
    }

    /// Whether it says `params.cursor`, of whatever type. One that is null says nothing.
    #[must_use]
    pub fn has_cursor(&self) -> bool {
        self.raw(Part::Cursor).is_some_and(|it| it != b"null")
    }

    /// The progress token as it was written, where it is a string or a number: `params._meta.progressToken` of a
    /// request, `params.progressToken` of `notifications/progress`.
    #[must_use]
    pub fn progress_token(&self) -> Option<&[u8]> {
        self.raw(self.progress_part())
            .filter(|token| is_token(token))
    }

    /// `params.requestId` as it was written, where it is a string or a number: what `notifications/cancelled` names.
    #[must_use]
    pub fn cancelled_id(&self) -> Option<&[u8]> {
        self.raw(Part::RequestId).filter(|id| is_token(id))
    }

    /// `params._meta` as it was written.
    #[must_use]
    pub fn meta(&self) -> Option<Bytes> {
        self.slice(Part::Meta)
    }

    /// Starts an edit that leaves every other byte as it is.
    #[must_use]
    pub const fn edit(&self) -> Edit<'_> {
        Edit::new(self)
    }

    /// The same message, one part of which lies elsewhere than it was told.
    pub(super) fn with_part(&self, part: Part, span: Span) -> Self {
        let mut parts = *self.parts();
        parts.set(part, span);
        self.with(self.bytes().clone(), parts)
    }

    /// What it says under these keys in `params._meta`, where that is a text.
    #[must_use]
    pub fn meta_texts<const N: usize>(&self, keys: [&str; N]) -> [Option<String>; N] {
        let meta = self.meta().unwrap_or_default();
        let meta = RawObject::parse(&meta).unwrap_or_default();
        keys.map(|key| meta.read(key).map(|Text(text)| text.into_owned()))
    }

    pub(super) fn parts(&self) -> &Parts {
        &self.0.parts
    }

    pub(super) fn progress_part(&self) -> Part {
        match self.0.kind {
            Kind::Notification => Part::ProgressToken,
            Kind::Request | Kind::Response => Part::MetaProgressToken,
        }
    }

    fn raw(&self, part: Part) -> Option<&[u8]> {
        let span = self.0.parts.span(part);
        (!span.is_absent()).then(|| span.of(&self.0.bytes))
    }

    fn slice(&self, part: Part) -> Option<Bytes> {
        let span = self.0.parts.span(part);
        (!span.is_absent()).then(|| self.0.bytes.slice(span.start()..span.end()))
    }

    fn text(&self, part: Part) -> Option<Cow<'_, str>> {
        text_of(self.raw(part)?)
    }
}

/// Shows what it is and how long, never what it says: arguments may be secrets.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.0.kind)
            .field("method", &self.method())
            .field("bytes", &self.0.bytes.len())
            .finish_non_exhaustive()
    }
}

/// The id of a message that is not UTF-8 in other places, so that its sender learns which one was refused.
fn id_despite(bytes: &[u8]) -> Option<Bytes> {
    let mended = String::from_utf8_lossy(bytes).into_owned();
    let id = match Message::read(mended.into()) {
        Ok(message) => message.slice(Part::Id),
        Err(malformed) => malformed.id().map(Bytes::copy_from_slice),
    };
    id.filter(|id| memchr::memmem::find(id, "\u{fffd}".as_bytes()).is_none())
}

/// Text that can be scanned: UTF-8, and short enough to be addressed.
pub(super) fn check_text(bytes: &Bytes) -> Result<(), Malformed> {
    if u32::try_from(bytes.len()).is_err() {
        return Err(Malformed::new(Fault::TooLong { bytes: bytes.len() }, None));
    }
    // Most text is, and that is seen in half the time.
    if bytes.is_ascii() {
        return Ok(());
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Ok(()),
        Err(error) => Err(Malformed::new(
            Fault::NotUtf8 {
                at: error.valid_up_to(),
            },
            None,
        )),
    }
}

/// Digits as JSON writes a whole number that is not negative.
fn is_whole_number(text: &[u8]) -> bool {
    !matches!(text, [] | [b'0', _, ..]) && text.iter().all(u8::is_ascii_digit)
}

fn is_token(raw: &[u8]) -> bool {
    matches!(raw.first(), Some(b'"' | b'-' | b'0'..=b'9'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;
    use crate::protocol::samples::{damaged, json, noise, string};

    fn parse(text: &str) -> Result<Message, Malformed> {
        Message::parse(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn reason(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_tool_call_gives_every_part_as_it_was_written() {
        let message = parse(
            r#" {"params" : {"arguments":{"n":1e400,"b":12345678901234567890},"name":"a\u002fb",
                "_meta":{"x":1,"progressToken":7}},"id":"x\"y","jsonrpc":"2.0","method":"tools/call"} "#,
        )
        .unwrap();
        assert_eq!(message.kind(), Kind::Request);
        assert_eq!(message.id(), Some(&br#""x\"y""#[..]));
        assert_eq!(message.method(), Some("tools/call"));
        assert_eq!(message.name().as_deref(), Some("a/b"));
        assert_eq!(
            message.arguments().unwrap(),
            r#"{"n":1e400,"b":12345678901234567890}"#
        );
        assert_eq!(message.meta().unwrap(), r#"{"x":1,"progressToken":7}"#);
        assert_eq!(message.progress_token(), Some(&b"7"[..]));
        assert!(message.params().unwrap().starts_with(b"{\"arguments\""));
        assert_eq!(message.uri(), None);
    }

    #[test]
    fn an_answer_under_another_id_is_the_same_but_for_the_id() {
        let text = r#" {"jsonrpc":"2.0","id":1234 ,"result":{"id":1234,"isError":true}}"#;
        let under = |message: Message, id: &str| {
            String::from_utf8(message.under(id.as_bytes()).to_vec()).unwrap()
        };
        for id in ["7", "1235", r#""""#, "12345", r#""a string""#] {
            let expected = text.replacen("1234", id, 1);
            assert_eq!(under(parse(text).unwrap(), id), expected);
            let shared = parse(text).unwrap();
            assert_eq!(under(shared.clone(), id), expected);
            assert_eq!(shared.bytes(), text);
            let slice = Bytes::copy_from_slice(text.as_bytes());
            let shared = Message::parse(slice.clone()).unwrap();
            assert_eq!(under(shared, id), expected);
            assert_eq!(slice, text);
        }
        let nameless = r#"{"jsonrpc":"2.0","method":"a"}"#;
        assert_eq!(under(parse(nameless).unwrap(), "7"), nameless);
    }

    #[test]
    fn a_message_that_comes_again_under_another_id_is_known_without_a_scan() {
        const KNOWN: &str = r#"{"jsonrpc":"2.0","id":99,"result":{"isError":true}}"#;
        let known = parse(KNOWN).unwrap();
        let again = |text: &str| Message::again(&known, &Bytes::copy_from_slice(text.as_bytes()));
        for text in [
            r#"{"jsonrpc":"2.0","id":7,"result":{"isError":true}}"#,
            r#"{"jsonrpc":"2.0","id":1234,"result":{"isError":true}}"#,
        ] {
            let (known, read) = (again(text).unwrap(), parse(text).unwrap());
            assert_eq!(known.original().bytes(), KNOWN);
            assert_eq!(read.original().bytes(), text);
            assert_eq!((known.id(), known.result()), (read.id(), read.result()));
            assert_eq!(known.bytes(), read.bytes());
            assert!(known.is_tool_error());
        }
        for text in [
            "",
            r#"{"jsonrpc":"2.0","id":7,"result":{"isError":null}}"#,
            r#"{"jsonrpc":"2.1","id":7,"result":{"isError":true}}"#,
            r#"{"jsonrpc":"2.0","id":,"result":{"isError":true}}"#,
            r#"{"jsonrpc":"2.0","id":7,"id":7,"result":{"isError":true}}"#,
            r#"{"jsonrpc":"2.0","id":"7","result":{"isError":true}}"#,
            r#"{"jsonrpc":"2.0","id":007,"result":{"isError":true}}"#,
        ] {
            assert!(again(text).is_none(), "{text}");
        }
        let nameless = r#"{"jsonrpc":"2.0","error":{}}"#;
        let numbered = Bytes::from(format!("7{nameless}"));
        assert!(Message::again(&parse(nameless).unwrap(), &numbered).is_none());
    }

    #[test]
    fn notifications_and_responses_are_told_apart() {
        let progress = parse(
            r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t"}}"#,
        )
        .unwrap();
        assert_eq!(progress.kind(), Kind::Notification);
        assert_eq!(progress.progress_token(), Some(&b"\"t\""[..]));
        let cancelled = parse(
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":4}}"#,
        )
        .unwrap();
        assert_eq!(cancelled.cancelled_id(), Some(&b"4"[..]));
        let result = parse(r#"{"jsonrpc":"2.0","id":-3,"result":null}"#).unwrap();
        assert_eq!(
            (result.kind(), result.result().unwrap()),
            (Kind::Response, Bytes::from("null"))
        );
        let error = parse(
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"\"no\"","data":[]}}"#,
        )
        .unwrap();
        assert_eq!(error.error_code(), Some(-32700));
        assert_eq!(error.error_message().as_deref(), Some("\"no\""));
        assert!(
            error
                .error()
                .unwrap()
                .starts_with(br#"{"code":-32700,"message""#)
        );
        assert!(parse(r#"{"jsonrpc":"2.0","error":{}}"#).is_ok());
    }

    #[test]
    fn only_the_result_itself_says_that_a_tool_failed() {
        let failed = |result: &str| {
            let response = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#);
            parse(&response).unwrap().is_tool_error()
        };
        assert!(failed(r#"{"content":[],"isError": true}"#));
        assert!(!failed(r#"{"content":[],"isError":false}"#));
        assert!(!failed(r#"{"structuredContent":{"isError":true}}"#));
        assert!(!failed(r#"{"content":[{"text":"\"isError\":true"}]}"#));
        assert!(!failed("[true]"));
    }

    #[test]
    fn the_half_of_a_response_that_is_null_beside_the_other_is_not_there() {
        let text = r#"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#;
        let result = parse(text).unwrap();
        assert_eq!(
            (result.result().as_deref(), result.error()),
            (Some(&b"{}"[..]), None)
        );
        assert_eq!(result.bytes(), text);
        let error = parse(r#"{"jsonrpc":"2.0","error":{"code":-1},"id":1,"result":null}"#).unwrap();
        assert_eq!((error.result(), error.error_code()), (None, Some(-1)));
    }

    #[test]
    fn what_breaks_a_rule_of_json_rpc_is_refused_with_the_rule() {
        for (text, expected) in [
            ("[]", "jsonrpc"),
            ("5", "jsonrpc"),
            (r#"{"id":1,"method":"ping"}"#, "jsonrpc"),
            (r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, "jsonrpc"),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#, "its id"),
            (r#"{"jsonrpc":"2.0","id":1e2,"method":"ping"}"#, "its id"),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, "its id"),
            (r#"{"jsonrpc":"2.0","id":{},"result":1}"#, "its id"),
            (r#"{"jsonrpc":"2.0","result":1}"#, "its id"),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#,
                "its method",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"\ud800"}"#,
                "its method",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","params":"x"}"#,
                "its params",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"a","result":1}"#,
                "also a result",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"error":null,"result":null,"method":"a"}"#,
                "also a result",
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"error":{},"result":1}"#,
                "also an error",
            ),
            (r#"{"jsonrpc":"2.0","id":1,"error":"x"}"#, "its error"),
            (r#"{"jsonrpc":"2.0","id":1}"#, "neither a method"),
        ] {
            assert!(reason(text).contains(expected), "{text}: {}", reason(text));
        }
    }

    #[test]
    fn no_member_that_routes_can_be_smuggled_past_the_scan() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","\u006dethod":"b"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","Method":"b"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":1,"METHOD":"b"}"#,
            r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{},"param\u017f":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"name":"x","name":"y"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"name":"x","Name":"y"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"NAME":"x","n\u0061me":"y"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"progressToken":1,"progressToken":2}}}"#,
        ] {
            assert!(reason(text).contains("it has a member"), "{text}");
        }
        let inside = r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"arguments":{"name":1,"name":2,"Name":3}}}"#;
        assert!(parse(inside).is_ok());
    }

    #[test]
    fn an_escaped_method_reads_as_what_it_means() {
        let message =
            parse(r#"{"jsonrpc":"2\u002e0","\u0069d":1,"method":"tools\/list"}"#).unwrap();
        assert_eq!(message.method(), Some("tools/list"));
        assert_eq!(message.id(), Some(&b"1"[..]));
    }

    #[test]
    fn a_fault_says_where_it_is_and_keeps_the_id() {
        let fault = parse(r#"{"id":9,"jsonrpc":"2.0","method":"a",}"#).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "The message is not JSON: expected a member name in double quotes at byte 37. \
             Nothing of it was forwarded; send one valid JSON-RPC 2.0 message in UTF-8."
        );
        assert_eq!(fault.id(), Some(&b"9"[..]));
        assert!(fault.is_parse_error());
        let fault = parse(r#"{"id":"q","method":"a"}"#).unwrap_err();
        assert_eq!(
            (fault.id(), fault.is_parse_error()),
            (Some(&b"\"q\""[..]), false)
        );
        let fault = Message::parse(Bytes::from_static(b"{\"id\":\"\xFF\"}")).unwrap_err();
        assert_eq!(fault.fault(), &Fault::NotUtf8 { at: 7 });
        assert_eq!(fault.id(), None);
        let fault = Message::parse(Bytes::from_static(b"{\"a\":\"\xFF\",\"id\":3}")).unwrap_err();
        assert_eq!(fault.id(), Some(&b"3"[..]), "whatever stands before it");
    }

    #[test]
    fn nesting_is_bounded_and_costs_no_stack() {
        let nested = |depth: usize| {
            let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
            parse(&format!(
                r#"{{"jsonrpc":"2.0","id":1,"result":{open}{close}}}"#
            ))
        };
        assert!(nested(128).is_ok());
        assert!(matches!(
            nested(129).unwrap_err().fault(),
            Fault::TooDeep { .. }
        ));
        assert!(matches!(
            nested(1_000_000).unwrap_err().fault(),
            Fault::TooDeep { .. }
        ));
    }

    #[test]
    fn debug_shows_no_arguments() {
        let message =
            parse(r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"key":"hunter2"}}"#).unwrap();
        assert!(!format!("{message:?}").contains("hunter2"));
    }

    /// What serde finds in the same text.
    #[derive(serde::Deserialize)]
    struct Known<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        method: Option<Cow<'a, str>>,
        #[serde(borrow)]
        params: Option<KnownParams<'a>>,
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }

    #[derive(serde::Deserialize)]
    struct KnownParams<'a> {
        #[serde(borrow)]
        name: Option<&'a RawValue>,
        #[serde(borrow)]
        arguments: Option<&'a RawValue>,
        #[serde(borrow)]
        _meta: Option<&'a RawValue>,
    }

    /// serde takes a `null` for an absence; a message that has one keeps it.
    fn present(value: Option<Bytes>) -> Option<Bytes> {
        value.filter(|value| value != "null")
    }

    fn raw(value: Option<&RawValue>) -> Option<Bytes> {
        value.map(|value| Bytes::copy_from_slice(value.get().as_bytes()))
    }

    proptest! {
        #[test]
        fn the_parts_are_those_that_serde_json_finds(
            members in Just(vec![0usize, 1, 2, 3, 4, 5]).prop_shuffle(), count in 3usize..7,
            inner in prop::collection::vec(json(), 4), name in string(), method in string(), id in string(),
        ) {
            let params = format!(r#"{{"other":{},"_meta":{{"m":{}}},"name":{name} ,"arguments": {}}}"#, inner[0], inner[1], inner[2]);
            let members: Vec<_> = members.into_iter().take(count).map(|member| match member {
                0 => format!("\"id\" :{id}"),
                1 => format!("\"method\": {method} "),
                2 => format!("\"params\":{params}"),
                3 => format!("\n\"result\":{}", inner[3]),
                4 => format!("\"else\":{}", inner[3]),
                _ => "\"jsonrpc\":\"2.0\"".into(),
            }).collect();
            let text = format!("{{{}}}", members.join(","));
            let Ok(message) = parse(&text) else { return Ok(()) };
            let known: Known<'_> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(message.id(), known.id.map(|id| id.get().as_bytes()));
            prop_assert_eq!(message.method(), known.method.as_deref());
            prop_assert_eq!(present(message.result()), raw(known.result));
            let known = known.params.as_ref();
            prop_assert_eq!(message.params().is_some(), known.is_some());
            prop_assert_eq!(present(message.arguments()), raw(known.and_then(|known| known.arguments)));
            prop_assert_eq!(present(message.meta()), raw(known.and_then(|known| known._meta)));
            let known_name = known.and_then(|known| known.name);
            let known_name = known_name.and_then(|name| serde_json::from_str::<String>(name.get()).ok());
            prop_assert_eq!(message.name().map(Cow::into_owned), known_name);
        }

        #[test]
        fn bytes_of_any_kind_never_panic(text in prop_oneof![noise(), damaged(), prop::collection::vec(any::<u8>(), 0..64)]) {
            if let Ok(message) = Message::parse(Bytes::from(text)) {
                prop_assert!(message.method().is_some() || message.result().is_some() || message.error().is_some());
            }
        }
    }
}
