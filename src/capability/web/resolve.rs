//! Who is behind a name.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin};

use tokio::net::lookup_host;

/// Addresses on their way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Finds the addresses of a host.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// The addresses of `host`, which may be an address itself, in the order in which they are tried.
    fn resolve(&self, host: Box<str>, port: u16) -> Resolving;
}

/// What the system says, which also knows the other ways to write an address: `2130706433`, `0x7f.1`, `0177.0.0.1`.
#[derive(Debug)]
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, host: Box<str>, port: u16) -> Resolving {
        Box::pin(async move { Ok(lookup_host((&*host, port)).await?.collect()) })
    }
}
