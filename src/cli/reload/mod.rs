//! The configuration is read again while the gateway runs: when one of its files changes, at SIGHUP, or when an operator
//! asks for it.

mod files;
mod reloader;

pub(super) use reloader::{Origin, Reloader, Served};
