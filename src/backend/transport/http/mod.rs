//! MCP over Streamable HTTP: one POST a message, answered by JSON or by an event stream.
//! Connections are kept alive in a pool without locks; the session is opened by the first call and again when it is lost.

mod answer;
mod call;
mod chunks;
mod connect;
mod connection;
mod ear;
#[cfg(test)]
mod ear_tests;
mod endpoint;
mod era;
mod exchange;
mod head;
#[cfg(test)]
mod played;
mod pool;
mod poster;
mod question;
#[cfg(test)]
mod resume_tests;
mod session;
#[cfg(test)]
mod session_tests;
mod shelves;
mod sse;
mod stream;
mod subscription;
#[cfg(test)]
mod tests;
mod transport;
mod twice;
#[cfg(test)]
mod wire_tests;

pub use poster::Poster;
pub(crate) use stream::Stream;
pub(super) use transport::HttpTransport;
