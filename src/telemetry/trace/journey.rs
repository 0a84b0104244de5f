//! The trace of one request: which it is, whether it is recorded, and in which span one is.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use opentelemetry::trace::{SpanContext, SpanId, SpanKind, TraceFlags, TraceId, TraceState};

use super::{
    carrier::{Carried, Carrier, traceparent},
    span::{OpenSpan, Opening},
    tracer::Recording,
};
use crate::telemetry::Stamp;

/// The part of a trace that a request is in. A clone is of the same request; none costs nothing.
#[derive(Clone, Default)]
pub struct Trace(Option<Place>);

#[derive(Clone)]
struct Place {
    journey: Arc<Journey>,
    /// The span in which one is: the parent of those that are opened here.
    within: SpanId,
}

/// What holds for the whole request.
pub(super) struct Journey {
    /// Where spans go; without it what the client says is passed on as it is.
    pub(super) recording: Option<Arc<Recording>>,
    /// The span of the request itself.
    root: SpanId,
    by_header: Option<SpanContext>,
    baggage: Option<Box<str>>,
    decided: OnceLock<Decided>,
}

/// The one decision of a request.
pub(super) struct Decided {
    pub(super) trace_id: TraceId,
    /// The client's span.
    pub(super) parent: Option<SpanContext>,
    pub(super) state: TraceState,
    pub(super) sampled: bool,
    baggage: Option<Box<str>>,
}

impl Trace {
    pub(super) fn begun(recording: Option<Arc<Recording>>, headers: &Carrier<'_>) -> Self {
        let by_header = headers.span_context();
        if recording.is_none() && by_header.is_none() {
            return Self::default();
        }
        let root = recording.as_ref().map(|it| it.span_id());
        let root = root.unwrap_or(SpanId::INVALID);
        let journey = Journey {
            recording,
            root,
            by_header,
            baggage: headers.passable_baggage(),
            decided: OnceLock::new(),
        };
        Self(Some(Place {
            journey: Arc::new(journey),
            within: root,
        }))
    }

    pub(super) fn within(journey: &Arc<Journey>, within: SpanId) -> Self {
        Self(Some(Place {
            journey: Arc::clone(journey),
            within,
        }))
    }

    /// None, for what the gateway asks for itself.
    #[must_use]
    pub fn none() -> &'static Self {
        static NONE: Trace = Trace(None);
        &NONE
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Whether spans may be kept of it.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        let journey = self.0.as_ref().map(|place| &place.journey);
        journey.is_some_and(|journey| journey.recording.is_some())
    }

    /// Takes what a message says in `_meta` for the client's part of the trace, which is nearer to the call than what a
    /// header says. The first message decides for all that came in the same request.
    pub fn joined(&self, message: &Carrier<'_>) {
        if let Some(Place { journey, .. }) = &self.0 {
            journey
                .decided
                .get_or_init(|| journey.decide(message.span_context(), message.passable_baggage()));
        }
    }

    /// Its name, 32 hexadecimal digits, if a message has decided which it is and somebody can find it: it is recorded here, or
    /// it is the client's.
    #[must_use]
    pub fn id(&self) -> Option<impl fmt::Display + use<>> {
        let place = self.0.as_ref()?;
        let decided = place.journey.decided.get()?;
        decided.concerns_the_client().then_some(decided.trace_id)
    }

    /// The name of the trace and of the span in which one is, if it is recorded: 128 and 64 bits.
    #[must_use]
    pub fn sampled_ids(&self) -> Option<(u128, u64)> {
        let place = self.sampled()?;
        let trace = place.journey.decided().trace_id.to_bytes();
        let span = place.within.to_bytes();
        Some((u128::from_be_bytes(trace), u64::from_be_bytes(span)))
    }

    /// The value of the response header `traceresponse` (W3C Trace Context, level 2).
    #[must_use]
    pub fn response(&self) -> Option<String> {
        let place = self.0.as_ref()?;
        place.journey.recording.as_ref()?;
        let is_told = place.journey.decided.get()?.concerns_the_client();
        let root = || place.journey.span_context(place.journey.root);
        is_told.then(|| traceparent(&root()).as_str().to_owned())
    }

    /// What a backend is told of it: that it is called from the span in which one is.
    #[must_use]
    pub fn carried(&self) -> Option<Carried> {
        let place = self.0.as_ref()?;
        let decided = place.journey.decided();
        let baggage = decided.baggage.clone();
        Some(match (&place.journey.recording, &decided.parent) {
            (None, Some(parent)) => Carried::new(parent, baggage),
            _ => Carried::new(&place.journey.span_context(place.within), baggage),
        })
    }

    /// Opens a span in the one in which one is, if the trace is recorded.
    #[must_use]
    pub fn span(
        &self,
        kind: SpanKind,
        started: Stamp,
        name: impl FnOnce() -> String,
    ) -> Option<OpenSpan> {
        let place = self.sampled()?;
        let id = place.journey.recording.as_ref()?.span_id();
        let opening = Opening {
            id,
            parent: place.within,
            parent_is_remote: false,
            kind,
            started,
        };
        Some(OpenSpan::new(&place.journey, opening, name()))
    }

    /// The span of the request itself, if a message has decided that the trace is recorded.
    #[must_use]
    pub fn root(&self, started: Stamp, name: impl FnOnce() -> String) -> Option<OpenSpan> {
        let place = self.sampled()?;
        let parent = place.journey.decided.get()?.parent.as_ref();
        let opening = Opening {
            id: place.journey.root,
            parent: parent.map_or(SpanId::INVALID, SpanContext::span_id),
            parent_is_remote: parent.is_some(),
            kind: SpanKind::Server,
            started,
        };
        Some(OpenSpan::new(&place.journey, opening, name()))
    }

    /// The same trace inside of `span`, if there is one.
    #[must_use]
    pub fn inside(&self, span: Option<&OpenSpan>) -> Self {
        let within = |span: &OpenSpan| {
            let place = self.0.clone()?;
            let within = span.id();
            Some(Place { within, ..place })
        };
        span.map_or_else(|| self.clone(), |span| Self(within(span)))
    }

    fn sampled(&self) -> Option<&Place> {
        let place = self.0.as_ref()?;
        let journey = &place.journey;
        let sampled = || journey.decided.get().is_some_and(|decided| decided.sampled);
        (journey.recording.is_some() && sampled()).then_some(place)
    }
}

impl Decided {
    const fn concerns_the_client(&self) -> bool {
        self.sampled || self.parent.is_some()
    }
}

impl Journey {
    pub(super) fn decided(&self) -> &Decided {
        self.decided.get_or_init(|| self.decide(None, None))
    }

    fn decide(&self, by_message: Option<SpanContext>, baggage: Option<Box<str>>) -> Decided {
        let parent = by_message.or_else(|| self.by_header.clone());
        let trace_id = match (&parent, &self.recording) {
            (Some(parent), _) => parent.trace_id(),
            (None, Some(recording)) => recording.trace_id(),
            (None, None) => TraceId::INVALID,
        };
        let state = parent.as_ref().map(|parent| parent.trace_state().clone());
        let recording = self.recording.as_ref();
        Decided {
            sampled: recording.is_some_and(|it| it.samples(parent.as_ref(), trace_id)),
            state: state.unwrap_or_default(),
            baggage: baggage.or_else(|| self.baggage.clone()),
            trace_id,
            parent,
        }
    }

    pub(super) fn span_context(&self, span: SpanId) -> SpanContext {
        let decided = self.decided();
        let flags = if decided.sampled {
            TraceFlags::SAMPLED
        } else {
            TraceFlags::default()
        };
        SpanContext::new(decided.trace_id, span, flags, false, decided.state.clone())
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(place) => write!(f, "Trace({})", place.journey.decided().trace_id),
            None => f.write_str("Trace(none)"),
        }
    }
}
