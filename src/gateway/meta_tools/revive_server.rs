//! gateway_revive_server: lets calls through to a backend again.

use std::sync::Arc;

use serde::Serialize;

use super::{
    arguments::Arguments,
    given::{Given, Trouble},
};
use crate::{
    backend::BackendStatus,
    gateway::{facade::Gateway, replies::Recovery, request::Request},
};

#[derive(Serialize)]
struct Revived<'a> {
    server: &'a str,
    revived: bool,
    status: BackendStatus,
}

pub(super) async fn run(
    gateway: &Arc<Gateway>,
    request: &Request,
    arguments: &Arguments<'_>,
) -> Result<Given, Trouble> {
    let name = arguments.required("server")?;
    let member = gateway.member(&name, &request.caller)?;
    let revived = Gateway::revive(&member, request.operator(), request.deadline).await;
    revived.map_err(|error| Trouble::Failed(Recovery::of_call(member.name(), &error)))?;
    Ok(Given::object(&Revived {
        server: member.name(),
        revived: true,
        status: member.backend().status(),
    }))
}
