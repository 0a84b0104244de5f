//! What is seen of a request, and what must not be.
//! The one clock, the request id, the subscriber, traces, and secrets that print as stars.

pub mod clock;
mod exemplars;
mod log;
mod one_line;
pub mod redact;
pub mod request_id;
mod settings;
pub mod subscriber;
pub mod trace;
#[cfg(test)]
pub(crate) mod transcript;

pub use clock::{Clock, Stamp};
pub use exemplars::{Exemplar, Exemplars};
pub use redact::Secret;
pub use request_id::RequestId;
pub use settings::{TelemetrySettings, WebhookSettings};
pub use subscriber::{Log, LogFormat};
pub use trace::{Carried, Carrier, OpenSpan, SpanKind, Trace, Tracer};
