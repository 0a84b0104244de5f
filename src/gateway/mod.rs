//! What we decide: which backend, which session, what a refusal says.
//! Bytes come in as an [`Inbound`] and leave as an [`Outbound`]; no socket is known here.

mod inbound;
mod replies;
mod settings;

pub use inbound::{Caller, EventStream, Inbound, Outbound, Reply, Route};
pub use replies::Refusal;
pub use settings::{GatewaySettings, MetaMcpSettings, Naming, SessionSettings, SurfacedTool};
