//! gateway_revive_server: lets calls through to a backend again.

use std::sync::Arc;

use serde::Serialize;

use super::{
    arguments::Arguments,
    given::{Given, Trouble},
};
use crate::{
    backend::BackendStatus,
    gateway::{catalogue::Kind, facade::Gateway, replies::Recovery, request::Request},
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
    let caller = &request.caller.name;
    tracing::info!(backend = member.name(), %caller, request_id = %request.request_id, "Backend revived by an operator");
    let revived = member.backend().revive(request.deadline).await;
    revived.map_err(|error| Trouble::Failed(Recovery::of_call(member.name(), &error)))?;
    for kind in Kind::ALL {
        member.catalogue().mark_changed(kind);
    }
    Ok(Given::object(&Revived {
        server: member.name(),
        revived: true,
        status: member.backend().status(),
    }))
}
