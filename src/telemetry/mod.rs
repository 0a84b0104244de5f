//! What is seen of a request, and what must not be.
//! The one clock, the request id, the subscriber, and secrets that print as stars.

pub mod clock;
mod one_line;
pub mod redact;
pub mod request_id;
pub mod subscriber;

pub use clock::{Clock, Stamp};
pub use redact::Secret;
pub use request_id::RequestId;
pub use subscriber::LogFormat;
