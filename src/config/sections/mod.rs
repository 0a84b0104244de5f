//! One file per section of the configuration: its keys, and the settings they become.
//! Each asks its section for the keys it knows; whatever nobody asked for is refused.

pub(super) mod auth;
pub(super) mod backends;
pub(super) mod capabilities;
mod circuit_breaker;
pub(super) mod elsewhere;
pub(super) mod failsafe;
pub(super) mod meta_mcp;
pub(super) mod names;
mod openapi;
mod otel_variables;
pub(super) mod server;
mod slo;
pub(super) mod streaming;
pub(super) mod telemetry;
mod timing;
pub(super) mod transport;
