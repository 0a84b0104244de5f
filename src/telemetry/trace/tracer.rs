//! Begins a trace for each request, if traces are asked for, and owns what they are recorded with.

use std::{fmt, sync::Arc, time::Duration};

use opentelemetry::{
    InstrumentationScope,
    trace::{SpanContext, SpanId, TraceId},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SpanData};

use super::{
    Carrier, SpanCounts, Trace,
    collector::{self, Post},
    queue::Spans,
    settings::{Sampling, TraceSettings},
    worker::Worker,
};
use crate::telemetry::Clock;

/// Begins traces. Without anywhere to send spans it passes on what clients say, and records nothing.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Running>>);

struct Running {
    recording: Arc<Recording>,
    worker: Worker,
}

/// What spans are made with, and where they go.
pub(super) struct Recording {
    sampling: Sampling,
    ids: RandomIdGenerator,
    scope: InstrumentationScope,
    spans: Arc<Spans>,
    clock: Clock,
}

/// Why traces cannot be exported: a sentence for people.
#[derive(Debug)]
pub struct TracerError(pub(super) Box<str>);

impl fmt::Display for TracerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TracerError {}

impl Tracer {
    /// One that records nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// One that sends spans from a thread of its own; `post` carries them where the protocol is HTTP.
    ///
    /// # Errors
    /// If the settings contradict each other, or no thread can be started.
    pub fn start(
        settings: &TraceSettings,
        clock: Clock,
        post: Arc<dyn Post>,
    ) -> Result<Self, TracerError> {
        let spans = Arc::new(Spans::new(settings.max_queue, settings.max_batch));
        let exporter = collector::exporter(settings, post);
        let worker = Worker::start(exporter, settings, Arc::clone(&spans))?;
        let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let recording = Arc::new(Recording {
            sampling: settings.sampling,
            ids: RandomIdGenerator::default(),
            scope,
            spans,
            clock,
        });
        Ok(Self(Some(Arc::new(Running { recording, worker }))))
    }

    /// The trace of a request that came with these headers.
    #[must_use]
    pub fn begin(&self, headers: &Carrier<'_>) -> Trace {
        if self.0.is_none() && headers.traceparent.is_none() {
            return Trace::default();
        }
        let recording = self
            .0
            .as_ref()
            .map(|running| Arc::clone(&running.recording));
        Trace::begun(recording, headers)
    }

    /// What became of the spans so far; none are counted where none are recorded.
    #[must_use]
    pub fn counts(&self) -> Option<SpanCounts> {
        let running = self.0.as_ref()?;
        Some(running.recording.spans.counts())
    }

    /// Sends what is still waiting, and ends the thread; returns when that is done, after `patience` at the latest.
    /// False if something may have been lost.
    #[must_use]
    pub fn finish(&self, patience: Duration) -> bool {
        let ended = |running: &Arc<Running>| running.worker.finish(patience);
        self.0.as_ref().is_none_or(ended)
    }
}

impl Recording {
    pub(super) fn trace_id(&self) -> TraceId {
        self.ids.new_trace_id()
    }

    pub(super) fn span_id(&self) -> SpanId {
        self.ids.new_span_id()
    }

    pub(super) fn samples(&self, parent: Option<&SpanContext>, trace: TraceId) -> bool {
        self.sampling
            .samples(parent.map(SpanContext::is_sampled), trace.to_bytes())
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn scope(&self) -> InstrumentationScope {
        self.scope.clone()
    }

    pub(super) fn keep(&self, span: SpanData) {
        self.spans.put(span);
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tracer").field(&self.counts()).finish()
    }
}
