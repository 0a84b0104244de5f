//! How we call others: one [`Backend`] per configured server, its queue, its failsafe and its transport.
//! Everything above asks a backend by name and never sees a child process or a socket.

mod call;
mod error;
mod events;
mod facade;
mod path;
mod settings;
mod status;
mod supervision;
mod transport;

pub use call::{Answer, Call, ParamHeader, Speaker};
pub use error::CallError;
pub use events::{EventReceiver, EventSender, events};
pub use facade::Backend;
pub use settings::{BackendSettings, HttpSettings, StdioSettings, TransportSettings};
pub use status::BackendStatus;
pub use transport::{ServerInfo, supervise};
