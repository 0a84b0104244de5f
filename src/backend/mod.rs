//! How we call others: one [`Backend`] per configured server, its queue, its failsafe and its transport.
//! Everything above asks a backend by name and never sees a child process or a socket.

mod call;
mod settings;

pub use call::{Answer, Call, CallError};
pub use settings::{BackendSettings, HttpSettings, StdioSettings, TransportSettings};
