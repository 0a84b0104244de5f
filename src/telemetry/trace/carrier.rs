//! What a message says of the trace it belongs to, in headers or in `_meta`: W3C Trace Context and Baggage
//! (<https://www.w3.org/TR/trace-context/>, <https://www.w3.org/TR/baggage/>; MCP SEP-414 for the keys in `_meta`).

use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use crate::protocol::{Edit, Message, quote};

/// The longest baggage that is passed on, in bytes: what the recommendation asks of every platform.
const MOST_BAGGAGE: usize = 8_192;

/// The three values as they were sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Carrier<'a> {
    /// Whose part of the trace the sender is.
    pub traceparent: Option<&'a str>,
    /// What the sender's vendors say of it.
    pub tracestate: Option<&'a str>,
    /// What the application says of the request.
    pub baggage: Option<&'a str>,
}

impl Carrier<'_> {
    /// The sender's part of the trace; `None` if there is none or it is malformed.
    pub(super) fn span_context(&self) -> Option<SpanContext> {
        self.traceparent?;
        let context = TraceContextPropagator::new().extract(self);
        let span = context.span().span_context().clone();
        span.is_valid().then_some(span)
    }

    /// The baggage, if it can be passed on as it is.
    pub(super) fn passable_baggage(&self) -> Option<Box<str>> {
        let is_passable = |text: &&str| {
            text.len() <= MOST_BAGGAGE && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        };
        self.baggage.filter(is_passable).map(Into::into)
    }
}

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent,
            "tracestate" => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

/// What a backend is told of the trace that a request belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    traceparent: TraceParent,
    tracestate: Option<Box<str>>,
    baggage: Option<Box<str>>,
}

/// The length of a `traceparent` of version 00, in bytes.
const LENGTH: usize = 55;

/// The value of `traceparent`, written without an allocation: each call to a backend bears one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceParent([u8; LENGTH]);

impl TraceParent {
    /// Version 00: trace, parent, flags.
    pub(super) fn new(trace: TraceId, span: SpanId, flags: TraceFlags) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
        let mut write = |at: usize, bytes: &[u8]| {
            for (pair, byte) in text[at..].chunks_exact_mut(2).zip(bytes) {
                pair[0] = DIGITS[usize::from(byte >> 4)];
                pair[1] = DIGITS[usize::from(byte & 15)];
            }
        };
        write(3, &trace.to_bytes());
        write(36, &span.to_bytes());
        write(53, &[flags.to_u8()]);
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        // It holds hexadecimal digits and hyphens.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The keys of `_meta` that are replaced; what a client says of its baggage is passed on as it is.
const KEYS: [&str; 2] = ["traceparent", "tracestate"];

impl Carried {
    pub(super) fn new(span: &SpanContext, baggage: Option<Box<str>>) -> Self {
        let state = span.trace_state();
        Self {
            traceparent: traceparent(span),
            // Most have none, and its text would be empty.
            tracestate: (*state != TraceState::NONE).then(|| state.header().into()),
            baggage,
        }
    }

    /// The headers, name and value, that there is something to say in.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("traceparent", Some(self.traceparent.as_str())),
            ("tracestate", self.tracestate.as_deref()),
            ("baggage", self.baggage.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// Whether a request takes this in its `_meta` by [`Carried::lead`]: it says nothing of a trace itself.
    #[must_use]
    pub fn can_lead(&self, message: &Message) -> bool {
        message.can_be_led(&["traceparent", "tracestate", "baggage"])
    }

    /// Puts this into the `_meta` of a request as it is written, if [`Carried::can_lead`].
    #[must_use]
    pub fn lead<'a>(&self, edit: Edit<'a>) -> Edit<'a> {
        if self.can_lead(edit.message()) {
            edit.led_in_meta(&self.members(false))
        } else {
            edit
        }
    }

    /// The request with this in its `_meta`, in the place of what it said before; every other byte as it was.
    #[must_use]
    pub fn put_into(&self, message: &Message) -> Message {
        let says_baggage = || {
            let [said] = message.meta_texts(["baggage"]);
            said.is_some()
        };
        let keeps_its_own = self.baggage.is_some() && says_baggage();
        message.with_meta_members(&KEYS, &self.members(keeps_its_own))
    }

    /// This as members of `_meta`, without the baggage if the request `keeps_its_own`.
    fn members(&self, keeps_its_own: bool) -> String {
        let mut members = String::with_capacity(80);
        for (name, value) in self
            .headers()
            .filter(|(name, _)| *name != "baggage" || !keeps_its_own)
        {
            members.push_str(if members.is_empty() { "\"" } else { ",\"" });
            members.push_str(name);
            members.push_str("\":");
            if name == "traceparent" {
                members.extend(["\"", value, "\""]);
            } else {
                members.push_str(&String::from_utf8_lossy(&quote(value)));
            }
        }
        members
    }
}

/// How a span is named to whoever is told of it.
pub(super) fn traceparent(span: &SpanContext) -> TraceParent {
    TraceParent::new(span.trace_id(), span.span_id(), span.trace_flags())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn carrier(traceparent: &'static str) -> Carrier<'static> {
        Carrier {
            traceparent: Some(traceparent),
            tracestate: Some("a=1,b=2"),
            baggage: Some("user=1"),
        }
    }

    #[test]
    fn what_is_read_is_what_is_written() {
        let span = carrier(PARENT).span_context().unwrap();
        let carried = Carried::new(&span, carrier(PARENT).passable_baggage());
        let headers: Vec<_> = carried.headers().collect();
        assert_eq!(
            headers,
            [
                ("traceparent", PARENT),
                ("tracestate", "a=1,b=2"),
                ("baggage", "user=1")
            ]
        );
    }

    #[test]
    fn a_malformed_parent_is_none_at_all() {
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            let carrier = Carrier {
                traceparent: Some(text),
                ..Carrier::default()
            };
            assert!(carrier.span_context().is_none(), "{text}");
        }
    }

    #[test]
    fn baggage_that_no_header_can_hold_is_left_out() {
        let long = "x".repeat(MOST_BAGGAGE + 1);
        for text in ["a=1\r\nx: y", "a=ä", &long] {
            let carrier = Carrier {
                baggage: Some(text),
                ..Carrier::default()
            };
            assert!(carrier.passable_baggage().is_none(), "{text}");
        }
    }

    #[test]
    fn a_message_carries_it_in_place_of_what_it_said() {
        let span = carrier(PARENT).span_context().unwrap();
        let carried = Carried::new(&span, Some("user=1".into()));
        let message = |meta: &str| {
            let text = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{{"_meta":{meta},"n":1e400}}}}"#
            );
            Message::parse(Bytes::from(text)).unwrap()
        };
        let put = |meta: &str| carried.put_into(&message(meta)).meta().unwrap();
        let ours = format!(r#""traceparent":"{PARENT}","tracestate":"a=1,b=2""#);
        assert_eq!(put("{}"), format!(r#"{{{ours},"baggage":"user=1"}}"#));
        assert_eq!(
            put(r#"{"traceparent":"x","baggage":"mine","progressToken":7}"#),
            format!(r#"{{{ours},"baggage":"mine","progressToken":7}}"#)
        );
    }
}
