//! The metrics page in the three forms that Prometheus and its kin read: text, OpenMetrics and protobuf.
//! Families and samples are handed to one [`Exposition`]; what they look like is decided in here.

mod buckets;
mod family;
#[cfg(test)]
mod messages;
mod native;
mod page;
mod protobuf;
mod text;
mod wire;

pub use family::MetricsFormat;
pub(super) use family::{Exemplar, Kind, Value};
pub(super) use page::Exposition;
