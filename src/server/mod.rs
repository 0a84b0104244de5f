//! How bytes reach us: listeners, the MCP endpoint over HTTP, the admin pages, and the drain.
//! hyper's server side is known only here.

mod access;
mod admin;
mod answer;
mod auth;
mod bind;
mod body;
mod client;
mod connection;
mod crews;
mod door;
mod guard;
mod headers;
mod intake;
mod lines;
mod listen;
mod mcp;
mod media;
mod metrics_form;
mod phase;
mod root_span;
mod route;
mod rules;
mod settings;
mod sse;
mod streams;
mod timing;
mod token;
mod ui;
mod visit;

pub use bind::BindError;
pub use lines::serve_lines;
pub use listen::Server;
pub use rules::{NextRules, ServerRules};
pub use settings::{ApiKey, AuthSettings, BearerToken, LimitSettings, ServerSettings};
