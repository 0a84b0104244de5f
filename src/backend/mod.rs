//! How we call others: one [`Backend`] per configured server, its queue, its failsafe and its transport.
//! Everything above asks a backend by name and never sees a child process or a socket.

mod ask;
mod call;
mod client;
mod error;
mod events;
mod facade;
mod glance;
mod line;
mod lines;
mod path;
mod patience;
mod settings;
mod spans;
mod spent;
mod status;
mod supervision;
mod tls;
mod told;
mod transport;

pub use ask::Ask;
pub use call::{Answer, Call, Introduced, ParamHeader, Speaker};
pub use client::Client;
pub use error::CallError;
pub use events::{Event, EventReceiver, EventSender, events};
pub use facade::Backend;
pub use glance::Glance;
pub use line::Line;
pub use lines::NoLine;
pub use patience::{LONGEST_WAIT, Patience, Waiting};
pub use settings::{BackendSettings, HttpSettings, StdioSettings, TransportSettings};
pub use spent::Spent;
pub use status::BackendStatus;
pub(crate) use tls::tls;
pub(crate) use transport::Stream;
pub use transport::{Asked, Callee, Part, Poster, Provider, ServerInfo, supervise};
