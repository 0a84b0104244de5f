//! gateway_reload_config: reads the configuration again, now.

use std::sync::Arc;

use serde::Serialize;
use tokio::time::timeout_at;

use super::given::{Given, Trouble};
use crate::gateway::{Reloaded, facade::Gateway, replies::Refusal, request::Request};

#[derive(Serialize)]
struct Answer<'a> {
    reloaded: bool,
    #[serde(flatten)]
    what: &'a Reloaded,
}

pub(super) async fn run(gateway: &Arc<Gateway>, request: &Request) -> Result<Given, Trouble> {
    let caller = &request.caller.name;
    tracing::info!(%caller, request_id = %request.request_id, "Reload of the configuration asked for by an operator");
    let refused = |reason: &str| Trouble::Refused(Refusal::ConfigRefused(reason.into()));
    let outcome = timeout_at(request.deadline, gateway.wish_for_reload()).await;
    match outcome {
        Ok(Some(Ok(what))) => Ok(Given::object(&Answer {
            reloaded: true,
            what: &what,
        })),
        Ok(Some(Err(reason))) => Err(refused(&reason)),
        Ok(None) => Err(refused(
            "this gateway was not started from a file, or is stopping",
        )),
        Err(_) => Err(refused(
            "it has not been read in time; /health says what became of it",
        )),
    }
}
