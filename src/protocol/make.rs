//! Builds messages of our own; where their parts lie is known, so none is scanned again.

use std::sync::Arc;

use bytes::Bytes;

use super::{
    Kind, Message, quote,
    scan::{Part, Parts, Span, params},
};

impl Message {
    /// A request. `id` and `params` are JSON text; the members of `params` are read as in a message that came.
    #[must_use]
    pub fn request(id: &[u8], method: &str, params: Option<&[u8]>) -> Self {
        Draft::new()
            .member(Part::Id, ",\"id\":", id)
            .call(method, params)
            .close(Kind::Request)
    }

    /// A notification. `params` is JSON text.
    #[must_use]
    pub fn notification(method: &str, params: Option<&[u8]>) -> Self {
        Draft::new().call(method, params).close(Kind::Notification)
    }

    /// The answer to the request `id`. Both are JSON text.
    #[must_use]
    pub fn response(id: &[u8], result: &[u8]) -> Self {
        Draft::new()
            .member(Part::Id, ",\"id\":", id)
            .member(Part::Result, ",\"result\":", result)
            .close(Kind::Response)
    }

    /// The refusal of the request `id`, which is JSON text like `data`; `null` where no id is known.
    #[must_use]
    pub fn error_response(id: &[u8], code: i64, message: &str, data: Option<&[u8]>) -> Self {
        Draft::new()
            .member(Part::Id, ",\"id\":", id)
            .failure(code, message, data)
            .close(Kind::Response)
    }
}

/// A message that is being written.
struct Draft {
    text: Vec<u8>,
    parts: Parts,
    /// The method, where it had to be escaped.
    method: Option<Arc<str>>,
}

impl Draft {
    fn new() -> Self {
        let mut parts = Parts::default();
        parts.set(Part::Version, Span::new(11, 16));
        Self {
            text: b"{\"jsonrpc\":\"2.0\"".to_vec(),
            parts,
            method: None,
        }
    }

    fn member(mut self, part: Part, lead: &str, value: &[u8]) -> Self {
        self.text.extend_from_slice(lead.as_bytes());
        let start = self.text.len();
        self.text.extend_from_slice(value);
        self.parts.set(part, Span::new(start, self.text.len()));
        self
    }

    fn call(self, method: &str, params: Option<&[u8]>) -> Self {
        let quoted = quote(method);
        let mut draft = self.member(Part::Method, ",\"method\":", &quoted);
        draft.method = (quoted.len() > method.len() + 2).then(|| method.into());
        match params {
            None => draft,
            Some(params) => draft.params(params),
        }
    }

    fn params(self, text: &[u8]) -> Self {
        let mut draft = self.member(Part::Params, ",\"params\":", text);
        let span = draft.parts.span(Part::Params);
        let mut inner = Parts::default();
        if params(text, &mut inner).is_ok() {
            let inner = inner
                .moved(|part| Span::new(part.start() + span.start(), part.end() + span.start()));
            draft.parts.adopt(&inner);
        }
        draft
    }

    fn failure(mut self, code: i64, message: &str, data: Option<&[u8]>) -> Self {
        self.text.extend_from_slice(b",\"error\":");
        let start = self.text.len();
        let mut draft = self
            .member(Part::ErrorCode, "{\"code\":", code.to_string().as_bytes())
            .member(Part::ErrorMessage, ",\"message\":", &quote(message));
        if let Some(data) = data {
            draft.text.extend_from_slice(b",\"data\":");
            draft.text.extend_from_slice(data);
        }
        draft.text.push(b'}');
        draft
            .parts
            .set(Part::Error, Span::new(start, draft.text.len()));
        draft
    }

    fn close(mut self, kind: Kind) -> Message {
        self.text.push(b'}');
        Message::assembled(Bytes::from(self.text), self.parts, kind, self.method)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::samples::json;

    /// What the maker believes equals what a scan finds.
    fn agrees(made: &Message) -> Result<(), TestCaseError> {
        let read = Message::parse(made.bytes().clone()).unwrap();
        prop_assert_eq!(made.kind(), read.kind());
        prop_assert_eq!(made.id(), read.id());
        prop_assert_eq!(made.method(), read.method());
        prop_assert_eq!(made.params(), read.params());
        prop_assert_eq!(made.name(), read.name());
        prop_assert_eq!(made.arguments(), read.arguments());
        prop_assert_eq!(made.progress_token(), read.progress_token());
        prop_assert_eq!(made.result(), read.result());
        prop_assert_eq!(made.error(), read.error());
        prop_assert_eq!(made.error_code(), read.error_code());
        prop_assert_eq!(made.error_message(), read.error_message());
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_made_reads_back_the_same(value in json(), text in any::<String>(), code in any::<i64>()) {
            let name = String::from_utf8(quote(&text)).unwrap();
            let params = format!(r#" {{"name":{name},"arguments":{value},"_meta":{{"progressToken":{code}}}}}"#);
            agrees(&Message::request(b"7", &text, Some(params.trim_start().as_bytes())))?;
            agrees(&Message::request(&quote(&text), "ping", None))?;
            agrees(&Message::notification("notifications/initialized", None))?;
            agrees(&Message::response(b"\"a\"", value.as_bytes()))?;
            agrees(&Message::error_response(b"null", code, &text, None))?;
            agrees(&Message::error_response(b"1", code, &text, Some(value.as_bytes())))?;
        }
    }

    #[test]
    fn params_of_a_made_call_can_be_edited() {
        let made = Message::request(b"1", "tools/call", Some(br#"{"name":"echo"}"#));
        assert_eq!(
            made.edit().name("demo__echo").finish(),
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"demo__echo"}}"#
        );
    }
}
