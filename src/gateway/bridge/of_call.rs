//! Whose call a parked one is, and what it asks for: whoever takes it up again must be and say the same.

use std::{fmt::Write, sync::Arc};

use crate::{
    gateway::{inbound::Caller, request::Request},
    protocol::{Message, RawObject},
};

/// What of a request may be another when it is sent again: what it says of this one POST, and the answers
/// (MCP 2026-07-28, basic/patterns/mrtr).
const OF_EACH_ROUND: [&str; 3] = ["_meta", "inputResponses", "requestState"];

/// A call, as its first request was.
pub(in crate::gateway) struct OfCall {
    caller: Arc<Caller>,
    /// The backend of the endpoint; empty for that of all.
    place: Box<str>,
    message: Message,
}

impl OfCall {
    pub(in crate::gateway) fn new(place: &str, request: &Request) -> Self {
        Self {
            caller: Arc::clone(&request.caller),
            place: place.into(),
            message: request.message.clone(),
        }
    }

    #[cfg(test)]
    pub(super) fn of(caller: Arc<Caller>, message: Message) -> Self {
        Self {
            caller,
            place: Box::default(),
            message,
        }
    }

    /// Its caller is asked something, and has to send it again with the answer.
    pub(super) fn asked(&self) {
        self.caller.owed.asked();
    }

    pub(super) fn caller(&self) -> &str {
        &self.caller.name
    }

    /// Its progress token.
    pub(super) fn token(&self) -> Option<&[u8]> {
        self.message.progress_token()
    }

    /// All that must be the same in each round, as a text that no other call has. In which order an object is written says
    /// nothing, so its members are put in order.
    pub(in crate::gateway) fn identity(&self) -> String {
        let method = self.message.method().unwrap_or_default();
        let mut text = String::new();
        for part in [&*self.caller.name, &*self.place, method] {
            // A string takes everything. With its length, so that no name can reach into the next.
            let _ = write!(text, "{}:{part}", part.len());
        }
        let params = self.message.params().unwrap_or_default();
        let Some(mut params) = RawObject::parse(&params) else {
            return text;
        };
        params
            .0
            .retain(|(name, _)| !OF_EACH_ROUND.contains(&&**name));
        params.0.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, value) in params.0 {
            let value = ordered(value.get());
            let _ = write!(text, "{}:{name}{}:{value}", name.len(), value.len());
        }
        text
    }
}

/// The same value, written as one that is equal is; what cannot be read, such as a number beyond all bounds, stays as it is.
fn ordered(value: &str) -> String {
    let read: Result<serde_json::Value, _> = serde_json::from_str(value);
    read.map_or_else(|_| value.to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(caller: &str, place: &str, params: &str) -> String {
        let caller = Arc::new(Caller {
            name: caller.into(),
            ..Caller::default()
        });
        let message = Message::request(b"1", "tools/call", Some(params.as_bytes()));
        OfCall {
            caller,
            place: place.into(),
            message,
        }
        .identity()
    }

    #[test]
    fn a_call_that_is_sent_again_is_the_same_and_any_other_is_another() {
        let first = identity(
            "anna",
            "files",
            r#"{"name":"write","arguments":{"path":"a","n":1},"_meta":{"progressToken":1}}"#,
        );
        let again = r#"{"requestState":"s","inputResponses":{"k":{}},"arguments":{"n":1, "path":"\u0061"},"name":"write","_meta":{}}"#;
        assert_eq!(identity("anna", "files", again), first);
        for (caller, place, params) in [
            ("bert", "files", again.to_owned()),
            ("anna", "", again.to_owned()),
            ("ann", "afiles", again.to_owned()),
            ("anna", "files", again.replace("write", "read")),
            ("anna", "files", again.replace("\"n\":1", "\"n\":2")),
            ("anna", "files", again.replace("\"n\":1, ", "")),
            (
                "anna",
                "files",
                again.replace("{\"requestState", "{\"task\":{},\"requestState"),
            ),
        ] {
            assert_ne!(identity(caller, place, &params), first, "{params}");
        }
    }

    #[test]
    fn numbers_that_nobody_can_hold_are_compared_as_they_are_written() {
        let call =
            |number: &str| identity("anna", "", &format!(r#"{{"arguments":{{"n":{number}}}}}"#));
        assert_eq!(call("1e400"), call("1e400"));
        assert_ne!(call("1e400"), call("1e401"));
    }
}
