//! gateway_list_servers: which servers there are and how they do.

use std::sync::Arc;

use serde::Serialize;

use super::given::{Given, Trouble};
use crate::{
    failsafe::CircuitState,
    gateway::{
        catalogue::{Entry, Kind},
        facade::Gateway,
        freshen::Missing,
        member::Member,
        request::Request,
        table::Table,
    },
};

#[derive(Serialize)]
struct Servers {
    servers: Vec<Server>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<Missing>,
}

#[derive(Serialize)]
struct Server {
    name: Box<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    running: bool,
    transport: &'static str,
    /// Absent as long as its list has never been read.
    tools_count: Option<usize>,
    circuit_breaker: CircuitState,
    healthy: bool,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<Box<str>>,
}

pub(super) async fn run(gateway: &Arc<Gateway>, request: &Request) -> Result<Given, Trouble> {
    let missing = gateway.freshen_list(&[Kind::Tools], &request.caller).await;
    let table = gateway.table();
    let servers = table
        .members_for(&request.caller)
        .map(|member| server(&table, member))
        .collect();
    Ok(Given::object(&Servers { servers, missing }))
}

fn server(table: &Table, member: &Member) -> Server {
    let status = member.backend().status();
    let tools = member.catalogue().listing(Kind::Tools);
    let is_shown = |tool: &&Arc<Entry>| table.shows(member.name(), &tool.key);
    Server {
        name: status.name,
        description: status.description,
        running: status.running,
        transport: status.transport,
        tools_count: tools.map(|tools| tools.entries.iter().filter(is_shown).count()),
        circuit_breaker: status.circuit_state,
        healthy: status.healthy,
        status: status.status,
        left_out: status.left_out,
        last_error: status.last_error,
    }
}
