//! gateway_list_servers: which servers there are and how they do.

use std::sync::Arc;

use serde::Serialize;

use super::given::{Given, Trouble};
use crate::{
    failsafe::CircuitState,
    gateway::{
        catalogue::Kind, facade::Gateway, freshen::Missing, member::Member, request::Request,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<Box<str>>,
}

pub(super) async fn run(gateway: &Arc<Gateway>, request: &Request) -> Result<Given, Trouble> {
    let missing = gateway.freshen(&[Kind::Tools], &request.caller).await;
    let servers = gateway
        .table()
        .members_for(&request.caller)
        .map(|member| server(member))
        .collect();
    Ok(Given::object(&Servers { servers, missing }))
}

fn server(member: &Member) -> Server {
    let status = member.backend().status();
    let tools = member.catalogue().listing(Kind::Tools);
    Server {
        name: status.name,
        description: status.description,
        running: status.running,
        transport: status.transport,
        tools_count: tools.map(|tools| tools.entries.len()),
        circuit_breaker: status.circuit_state,
        healthy: status.healthy,
        status: status.status,
        last_error: status.last_error,
    }
}
