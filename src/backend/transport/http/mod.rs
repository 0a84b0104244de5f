//! MCP over Streamable HTTP: one POST a message, answered by JSON or by an event stream.
//! Connections are kept alive in a pool without locks; the session is opened by the first call and again when it is lost.

mod answer;
mod connect;
mod endpoint;
mod exchange;
#[cfg(test)]
mod played;
mod pool;
mod session;
#[cfg(test)]
mod session_tests;
mod shelves;
#[cfg(test)]
mod tests;
mod transport;

pub(super) use transport::HttpTransport;
