//! What the situations stand on: the built binary as a fixture, backends that follow a script, and a client that writes raw HTTP.
//! Everything started here is stopped when its value is dropped, and every wait ends.

mod api;
mod collector;
mod era_backend;
mod era_script;
pub(crate) mod frame;
mod gateway;
mod http;
pub(crate) mod modern_offer;
mod offer;
mod patience;
mod process;
mod reply;
mod scripted_events;
mod scripted_http;
mod scripted_moods;
mod scripted_sse;
pub(crate) mod scripted_stdio;
mod scripted_tools;
mod session;
mod setup;
mod sse;
mod stdio_backend;
mod way;
mod wire;

pub(crate) use api::{Api, Says};
pub(crate) use collector::{Collector, hex, said};
pub(crate) use era_backend::{EraBackend, answer_of};
pub(crate) use era_script::{Era, Outside};
pub(crate) use gateway::Gateway;
pub(crate) use http::{Request, Response, Streaming, connect};
pub(crate) use offer::VERBATIM;
pub(crate) use patience::{PATIENCE, until};
pub(crate) use process::{is_alive, memory, open_files};
pub(crate) use reply::Reply;
pub(crate) use scripted_http::{Forgetting, HttpBackend};
pub(crate) use scripted_moods::Mood;
pub(crate) use scripted_sse::{Begins, SseBackend};
pub(crate) use session::{Session, message};
pub(crate) use setup::{Ended, Setup};
pub(crate) use sse::Events;
pub(crate) use stdio_backend::StdioBackend;
pub(crate) use way::Way;
pub(crate) use wire::Wire;
