//! Clients of revision 2026-07-28: each request says of itself what older ones say once, when they open a session.

mod asked;
mod asking;
mod discover;
mod finish;
mod listen;
mod serve;

pub(super) use asked::is_modern;
