//! gateway_kill_server: stops a backend until it is revived.

use std::sync::Arc;

use serde::Serialize;

use super::{
    arguments::Arguments,
    given::{Given, Trouble},
};
use crate::{
    backend::BackendStatus,
    gateway::{facade::Gateway, request::Request},
};

#[derive(Serialize)]
struct Killed<'a> {
    server: &'a str,
    killed: bool,
    status: BackendStatus,
}

pub(super) async fn run(
    gateway: &Arc<Gateway>,
    request: &Request,
    arguments: &Arguments<'_>,
) -> Result<Given, Trouble> {
    let name = arguments.required("server")?;
    let member = gateway.member(&name, &request.caller)?;
    Gateway::kill(&member, request.operator(), request.deadline).await;
    Ok(Given::object(&Killed {
        server: member.name(),
        killed: true,
        status: member.backend().status(),
    }))
}
