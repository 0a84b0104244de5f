//! One trace from a client's `traceparent` to its backend: read, decided on once, passed on, and recorded where it is sampled.
//! A request that nobody traces costs a look at an option.

mod carrier;
mod collector;
mod journey;
mod queue;
mod settings;
mod span;
mod tracer;
mod worker;

pub use carrier::{Carried, Carrier};
pub use collector::{Post, Posted};
pub use journey::Trace;
pub use queue::SpanCounts;
pub use settings::{OtlpProtocol, Sampling, TraceSettings};
pub use span::OpenSpan;
pub use tracer::{Tracer, TracerError};

pub use opentelemetry::trace::SpanKind;
