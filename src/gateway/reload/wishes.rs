//! Who wishes that the configuration is read again, and what became of the last attempt. Reading it is not ours: whoever
//! started the gateway takes the wishes.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::Adopted;
use crate::{gateway::facade::Gateway, lockfree::Latest};

/// Wishes that may wait; each is answered by the next reading.
const MOST_WISHES: usize = 64;

/// What became of a reading: what was taken over, or why nothing was.
pub type ReloadOutcome = Result<Arc<Reloaded>, Arc<str>>;

/// Somebody waits for the outcome of a reading that begins after this.
pub struct Wish(oneshot::Sender<ReloadOutcome>);

/// A configuration that was taken over.
#[derive(Debug, Serialize)]
pub struct Reloaded {
    /// What became of the backends.
    #[serde(flatten)]
    pub backends: Adopted,
    /// Settings that were changed and take effect at the next start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs_restart: Vec<&'static str>,
    /// What was understood and has no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What is known of readings.
pub(in crate::gateway) struct Reloads {
    wishes: OnceLock<mpsc::Sender<Wish>>,
    /// When the configuration that holds was taken over, in milliseconds of the clock.
    loaded_ms: Latest,
    /// Why the last one that was read does not hold.
    refused: ArcSwapOption<Box<str>>,
}

/// What `/health` says of it.
#[derive(Serialize)]
pub(in crate::gateway) struct ConfigStatus {
    /// Epoch milliseconds.
    loaded_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_reload_error: Option<Box<str>>,
}

impl Wish {
    /// Answers it: what was taken over, or why nothing was.
    pub fn answer(self, outcome: &ReloadOutcome) {
        // Whoever asked may have gone.
        let _ = self.0.send(outcome.clone());
    }
}

impl Reloads {
    pub(in crate::gateway) fn new(now_ms: u64) -> Self {
        Self {
            wishes: OnceLock::new(),
            loaded_ms: Latest::new(now_ms),
            refused: ArcSwapOption::empty(),
        }
    }
}

impl Gateway {
    /// Where wishes come in, for whoever can read the configuration again; without anybody they are refused. There is one
    /// taker: of a second one nobody hears.
    #[must_use]
    pub fn reload_wishes(&self) -> mpsc::Receiver<Wish> {
        let (wishes, taken) = mpsc::channel(MOST_WISHES);
        let _ = self.reloads.wishes.set(wishes);
        taken
    }

    /// Remembers for `/health` what became of a reading.
    pub fn reload_ended(&self, outcome: &ReloadOutcome) {
        match outcome {
            Ok(_) => {
                self.reloads.loaded_ms.set(self.clock.now().millis());
                self.reloads.refused.store(None);
            }
            Err(reason) => {
                let reason = Box::from(&**reason);
                self.reloads.refused.store(Some(Arc::new(reason)));
            }
        }
    }

    /// Asks for a reading and waits for its outcome; nothing if nobody can read.
    pub(in crate::gateway) async fn wish_for_reload(&self) -> Option<ReloadOutcome> {
        let (answer, outcome) = oneshot::channel();
        let wishes = self.reloads.wishes.get()?;
        wishes.send(Wish(answer)).await.ok()?;
        outcome.await.ok()
    }

    pub(in crate::gateway) fn config_status(&self) -> ConfigStatus {
        let refused = self.reloads.refused.load();
        ConfigStatus {
            loaded_ms: self.clock.epoch_ms(self.reloads.loaded_ms.value()),
            last_reload_error: refused.as_ref().map(|reason| (**reason).clone()),
        }
    }
}
