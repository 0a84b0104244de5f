//! The HTTP server from outside: raw bytes at the wire, against a gateway without backends or with the demo one.

#[path = "server/access.rs"]
mod access;
#[path = "server/bounds.rs"]
mod bounds;
#[path = "server/exchange.rs"]
mod exchange;
#[path = "server/stop.rs"]
mod stop;
#[path = "server/token.rs"]
mod token;
#[path = "server/trace.rs"]
mod trace;
#[path = "server/wire.rs"]
mod wire;
