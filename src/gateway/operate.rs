//! What an operator may do to a backend while the gateway runs, whichever way it is asked for.

use std::sync::Arc;

use tokio::time::Instant;

use super::{catalogue::Kind, facade::Gateway, member::Member};
use crate::{
    backend::{CallError, ServerInfo},
    telemetry::RequestId,
};

/// Who acts, for the log.
#[derive(Clone, Copy)]
pub(super) struct Operator<'a> {
    pub(super) name: &'a str,
    pub(super) request_id: RequestId,
}

/// Who decides from now on whether calls flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    /// Every call is refused.
    Open,
    /// Every call goes.
    Closed,
    /// What calls come to, beginning with a closed circuit; or the mode that the configuration sets.
    Auto,
}

impl Gateway {
    /// Lets calls through to a backend again, and connects; its lists are read anew.
    pub(super) async fn revive(
        member: &Member,
        by: Operator<'_>,
        deadline: Instant,
    ) -> Result<Arc<ServerInfo>, CallError> {
        let (caller, request_id) = (by.name, by.request_id);
        tracing::info!(backend = member.name(), %caller, %request_id, "Backend revived by an operator");
        let revived = member.backend().revive(deadline).await?;
        for kind in Kind::ALL {
            member.catalogue().mark_changed(kind);
        }
        Ok(revived)
    }

    /// Stops a backend until it is revived.
    pub(super) async fn kill(member: &Member, by: Operator<'_>, deadline: Instant) {
        let (caller, request_id) = (by.name, by.request_id);
        tracing::warn!(backend = member.name(), %caller, %request_id, "Backend stopped by an operator");
        member.backend().kill(deadline).await;
    }

    /// Says who decides on the circuit of a backend. Circuits of its single tools go on deciding for themselves, unless the
    /// decision is left to them all.
    pub(super) fn force(member: &Member, by: Operator<'_>, to: Forced) {
        let (caller, request_id) = (by.name, by.request_id);
        tracing::warn!(backend = member.name(), %caller, %request_id, ?to, "Circuit forced by an operator");
        let failsafe = member.backend().failsafe();
        match to {
            Forced::Open => failsafe.circuit_breaker.force_open(),
            Forced::Closed => failsafe.circuit_breaker.force_close(),
            Forced::Auto => failsafe.reset(),
        }
    }
}
