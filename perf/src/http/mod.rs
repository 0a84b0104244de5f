//! As much of HTTP/1.1 as both ends of a measurement need: [`first`] finds the first whole message in bytes that came, a
//! [`Link`] is a socket that never blocks, a [`Connection`] one that waits.

mod connection;
mod framing;
mod link;

pub(crate) use connection::{Connection, post};
pub(crate) use framing::{Message, first, header};
pub(crate) use link::{Link, Open};
