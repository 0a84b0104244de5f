//! What we decide: which backend, which session, what a refusal says.
//! Bytes come in as an [`Inbound`] and leave as an [`Outbound`]; no socket is known here.

mod aggregate;
mod bridge;
mod calls;
mod catalogue;
mod directory;
mod facade;
mod freshen;
mod inbound;
mod initialize;
mod links;
mod member;
mod meta_tools;
mod modern;
mod naming;
mod nearest;
mod notices;
mod objectives;
mod operate;
mod overhead;
mod owed;
mod pages;
mod reload;
mod replies;
mod request;
mod rights;
mod router;
mod search;
mod selection;
mod sessions;
mod settings;
mod spans;
mod stream;
mod supervise;
mod table;
mod tasks;
mod trace;
mod transparent;
mod underway;
mod uri_template;
mod uris;
mod watch;

pub use facade::Gateway;
pub use inbound::{
    Caller, EventStream, GoneOn, Inbound, Mirrored, Outbound, Reply, Route, Sent, Timing,
};
pub use objectives::{Burn, LatencyObjective, ObjectiveReport, Objectives, SloSettings};
pub use operate::Forced;
pub use owed::Owed;
pub use pages::{Action, MetricsFormat, View};
pub use reload::{Adopted, ReloadOutcome, Reloaded, Wish};
pub use replies::Refusal;
pub use selection::{Glob, ToolSelection};
pub use settings::{
    GatewaySettings, MetaMcpSettings, Naming, SessionSettings, SurfacedTool, TimingSettings,
};
pub use stream::next_message;
