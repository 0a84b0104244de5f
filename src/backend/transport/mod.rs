//! How a request reaches a backend and its answer comes back: one [`Transport`] with a child process, an HTTP endpoint,
//! or a part of this program behind it. What is common to them lies in `wire`.

mod any;
mod bound;
mod gate;
mod http;
mod info;
mod listening;
mod outlet;
mod provided;
mod serials;
mod stdio;
mod watched;
mod wire;

pub(super) use any::{Delivery, Transport};
pub use http::Poster;
pub(crate) use http::Stream;
pub use info::ServerInfo;
pub(super) use outlet::Outlet;
pub use provided::{Asked, Callee, Part, Provider};
pub use stdio::supervise;
