//! What an operator does from the live page, and what is answered.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use crate::{
    gateway::{Caller, Forced, Refusal, facade::Gateway, member::Member, operate::Operator},
    telemetry::RequestId,
};

/// What an operator may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Lets calls through to this backend again, with a fresh circuit.
    Revive(Box<str>),
    /// Stops this backend until it is revived.
    Kill(Box<str>),
    /// Says who decides on the circuit of this backend.
    Force(Box<str>, Forced),
    /// Reads the configuration again.
    Reload,
}

impl Gateway {
    /// Does it, and says what was done as JSON with a sentence in `done`.
    ///
    /// # Errors
    /// If the caller is no operator, there is no such backend, or the configuration cannot be taken over.
    pub async fn act(
        self: &Arc<Self>,
        action: &Action,
        caller: &Caller,
        request_id: RequestId,
    ) -> Result<Bytes, Refusal> {
        if !caller.operator {
            return Err(Refusal::OperatorOnly("This action"));
        }
        let by = Operator {
            name: &caller.name,
            request_id,
        };
        let deadline = Instant::now() + self.table().settings().request_timeout;
        let find = |name: &str| self.table().endpoint(name, caller).map(Arc::clone);
        let answer = match action {
            Action::Revive(name) => revive(&*find(name)?, by, deadline).await,
            Action::Kill(name) => {
                let member = find(name)?;
                Self::kill(&member, by, deadline).await;
                json!({"done": format!("{name} is stopped: calls are refused until it is revived.")})
            }
            Action::Force(name, to) => {
                let member = find(name)?;
                Self::force(&member, by, *to);
                let summary = member.backend().failsafe().circuit_breaker.summary();
                json!({"done": format!("{name}: {summary}")})
            }
            Action::Reload => self.reload_now(by, deadline).await?,
        };
        Ok(answer.to_string().into())
    }

    async fn reload_now(&self, by: Operator<'_>, deadline: Instant) -> Result<Value, Refusal> {
        let (caller, request_id) = (by.name, by.request_id);
        tracing::info!(%caller, %request_id, "Reload of the configuration asked for by an operator");
        let refused = |reason: &str| Refusal::ConfigRefused(reason.into());
        let outcome = timeout_at(deadline, self.wish_for_reload()).await;
        match outcome {
            Ok(Some(Ok(what))) => {
                Ok(json!({"done": "The configuration was read again and holds.", "what": *what}))
            }
            Ok(Some(Err(reason))) => Err(refused(&reason)),
            Ok(None) => Err(refused(
                "this gateway was not started from a file, or is stopping",
            )),
            Err(_) => Err(refused(
                "it has not been read in time; /health says what became of it",
            )),
        }
    }
}

async fn revive(member: &Member, by: Operator<'_>, deadline: Instant) -> Value {
    let name = member.name();
    match Gateway::revive(member, by, deadline).await {
        Ok(_) => json!({"done": format!("{name} is connected, its circuit is closed and fresh.")}),
        Err(error) => json!({
            "done": format!("{name} may be called again, but could not be reached now: {error}"),
            "error": error.to_string(),
        }),
    }
}
