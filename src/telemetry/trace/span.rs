//! One span while it lasts: what is known of it is written down when it ends, however it ends.

use std::{borrow::Cow, sync::Arc};

use opentelemetry::{
    Key, KeyValue, Value,
    trace::{Event, SpanId, SpanKind, Status},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::journey::{Journey, Trace};
use crate::telemetry::Stamp;

/// A span of a trace that is recorded. It ends when it is dropped. One pointer, for most requests have none.
pub struct OpenSpan(Box<Open>);

struct Open {
    journey: Arc<Journey>,
    opening: Opening,
    name: String,
    attributes: Vec<KeyValue>,
    events: Vec<(&'static str, Stamp)>,
    status: Status,
    ended: Option<Stamp>,
}

/// Where a span stands.
pub(super) struct Opening {
    pub(super) id: SpanId,
    pub(super) parent: SpanId,
    pub(super) parent_is_remote: bool,
    pub(super) kind: SpanKind,
    pub(super) started: Stamp,
}

impl OpenSpan {
    pub(super) fn new(journey: &Arc<Journey>, opening: Opening, name: String) -> Self {
        Self(Box::new(Open {
            journey: Arc::clone(journey),
            opening,
            name,
            attributes: Vec::with_capacity(12),
            events: Vec::new(),
            status: Status::Unset,
            ended: None,
        }))
    }

    pub(super) fn id(&self) -> SpanId {
        self.0.opening.id
    }

    /// The trace, inside of this span.
    #[must_use]
    pub fn trace(&self) -> Trace {
        Trace::within(&self.0.journey, self.id())
    }

    /// Adds an attribute.
    pub fn set(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0
            .attributes
            .push(KeyValue::new(Key::from_static_str(key), value));
    }

    /// Adds one where there is something to say.
    pub fn set_some(&mut self, key: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.set(key, value);
        }
    }

    /// Notes that something happened at `at`.
    pub fn event(&mut self, name: &'static str, at: Stamp) {
        self.0.events.push((name, at));
    }

    /// Says that it failed: `kind` is one of few words, `sentence` is for people.
    pub fn fail(&mut self, kind: &'static str, sentence: String) {
        self.set("error.type", kind);
        self.0.status = Status::error(sentence);
    }

    /// Ends it at a moment that is already known.
    pub fn end(mut self, at: Stamp) {
        self.0.ended = Some(at);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(recording) = &self.journey.recording else {
            return;
        };
        let clock = recording.clock();
        let ended = self.ended.unwrap_or_else(|| clock.now());
        let mut events = SpanEvents::default();
        events.events = std::mem::take(&mut self.events)
            .into_iter()
            .map(|(name, at)| Event::new(name, clock.wall(at), Vec::new(), 0))
            .collect();
        recording.keep(SpanData {
            span_context: self.journey.span_context(self.opening.id),
            parent_span_id: self.opening.parent,
            parent_span_is_remote: self.opening.parent_is_remote,
            span_kind: self.opening.kind.clone(),
            name: Cow::Owned(std::mem::take(&mut self.name)),
            start_time: clock.wall(self.opening.started),
            end_time: clock.wall(ended),
            attributes: std::mem::take(&mut self.attributes),
            dropped_attributes_count: 0,
            events,
            links: SpanLinks::default(),
            status: std::mem::take(&mut self.status),
            instrumentation_scope: recording.scope(),
        });
    }
}
