//! How bytes reach us: listeners, the MCP endpoint over HTTP, the admin pages, and the drain.
//! hyper's server side is known only here.

mod settings;

pub use settings::{ApiKey, AuthSettings, BearerToken, LimitSettings, ServerSettings};
