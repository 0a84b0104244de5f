//! The way from a request to the one task that looks.

use std::sync::{Arc, OnceLock};

use tokio::sync::{mpsc, oneshot};

use super::{sampler::Sampler, view::View};
use crate::{
    failsafe::Why,
    gateway::{Caller, Refusal, facade::Gateway},
};

/// Questions that may wait for the next look to end.
const WAITING: usize = 16;

/// Where questions to the task go, once it runs.
#[derive(Default)]
pub(in crate::gateway) struct Live {
    asks: OnceLock<mpsc::Sender<Ask>>,
}

/// What is asked of the task.
pub(super) enum Ask {
    View(Arc<Caller>, oneshot::Sender<Result<View, Refusal>>),
    Tools(Box<str>, oneshot::Sender<String>),
}

impl Gateway {
    /// What goes on at all backends that this caller may use, as it comes.
    ///
    /// # Errors
    /// Where as many watch as may, or the gateway does not watch over its backends.
    pub async fn view(&self, caller: Arc<Caller>) -> Result<View, Refusal> {
        let (answer, answered) = oneshot::channel();
        self.ask_live(Ask::View(caller, answer)).await?;
        answered.await.unwrap_or(Err(Refusal::Draining))
    }

    /// One backend from near: why its calls flow or do not, and its tools, as JSON.
    ///
    /// # Errors
    /// If there is no such backend, or the caller may not use it.
    pub async fn view_of(&self, name: &str, caller: &Caller) -> Result<String, Refusal> {
        let why: Why = self.why(name, caller)?;
        let (answer, answered) = oneshot::channel();
        self.ask_live(Ask::Tools(name.into(), answer)).await?;
        let tools = answered.await.map_err(|_| Refusal::Draining)?;
        let why = serde_json::to_string(&why).unwrap_or_default();
        Ok(format!("{{\"why\":{why},\"tools\":{tools}}}"))
    }

    async fn ask_live(&self, ask: Ask) -> Result<(), Refusal> {
        let asks = self.live.asks.get().ok_or(Refusal::Draining)?;
        asks.send(ask).await.map_err(|_| Refusal::Draining)
    }

    /// Looks at the backends for as long as it is polled.
    pub(in crate::gateway) async fn watch_live(self: Arc<Self>) {
        let (asks, asked) = mpsc::channel(WAITING);
        if self.live.asks.set(asks).is_ok() {
            Sampler::new(self).run(asked).await;
        }
    }
}
