//! How a capability's request reaches its provider: one HTTP client, which looks at every address before it connects to it.
//! Nobody whom a tool's arguments, a name server or a redirect names is called only because they were named.

mod client;
mod connect;
mod fault;
mod networks;
#[cfg(test)]
pub(super) mod played;
mod redirect;
mod resolve;

pub use client::{Limits, Reply, Web};
pub use fault::WebFault;
pub use networks::PrivateNetworks;
pub(super) use redirect::target;
pub use resolve::{Resolve, Resolving};
