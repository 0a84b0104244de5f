//! The meta-tools of `/mcp`: a few tools through which a model finds and calls all others.
//! Each works as a tool and as a JSON-RPC method of the same name.

mod arguments;
mod definitions;
mod given;
mod invoke;
mod kill_server;
mod list_servers;
mod list_tools;
mod meta_tool;
mod reload_config;
mod revive_server;
mod run;
mod search_tools;

pub(super) use meta_tool::MetaTool;
