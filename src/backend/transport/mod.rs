//! How a request reaches a backend and its answer comes back: one [`Transport`] with a child process or an HTTP endpoint
//! behind it. What is common to both lies in `wire`.

mod any;
mod bound;
mod gate;
mod http;
mod info;
mod listening;
mod outlet;
mod serials;
mod stdio;
mod watched;
mod wire;

pub(super) use any::{Delivery, Transport};
pub use http::Poster;
pub(crate) use http::Stream;
pub use info::ServerInfo;
pub(super) use outlet::Outlet;
pub use stdio::supervise;
