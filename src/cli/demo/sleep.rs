//! The one tool that takes time: it waits, and says how far it is.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::{sync::mpsc, time};

use super::exchange::{params_of, said};
use crate::protocol::{Message, encode_line};

/// The longest wait, in milliseconds.
pub(super) const MAX_MS: u64 = 600_000;

/// Reports of progress in one wait.
const STEPS: u64 = 10;

/// A wait that somebody asked for.
pub(super) struct Sleep {
    ms: u64,
    progress_token: Option<Bytes>,
}

/// The wait that a message asks for, if it is a call of `sleep` whose arguments fit.
pub(super) fn requested_sleep(message: &Message) -> Option<Sleep> {
    let is_sleep =
        message.method() == Some("tools/call") && message.name().as_deref() == Some("sleep");
    if !is_sleep {
        return None;
    }
    let ms = params_of(message)["arguments"]["ms"].as_u64();
    Some(Sleep {
        ms: ms.filter(|ms| *ms <= MAX_MS)?,
        progress_token: message.progress_token().map(Bytes::copy_from_slice),
    })
}

impl Sleep {
    /// Waits, and gives the result of the call.
    pub(super) async fn run(self, output: &mpsc::Sender<Bytes>) -> Value {
        match &self.progress_token {
            None => time::sleep(Duration::from_millis(self.ms)).await,
            Some(token) => self.run_in_steps(token, output).await,
        }
        said(&format!("Slept for {} ms.", self.ms))
    }

    async fn run_in_steps(&self, token: &[u8], output: &mpsc::Sender<Bytes>) {
        for step in 1..=STEPS {
            let (before, done) = (self.ms * (step - 1) / STEPS, self.ms * step / STEPS);
            time::sleep(Duration::from_millis(done - before)).await;
            let report = self.report(token, done);
            drop(output.send(encode_line(report.bytes())).await);
        }
    }

    fn report(&self, token: &[u8], done: u64) -> Message {
        let mut params = b"{\"progressToken\":".to_vec();
        params.extend_from_slice(token);
        let rest = format!(",\"progress\":{done},\"total\":{}}}", self.ms);
        params.extend_from_slice(rest.as_bytes());
        Message::notification("notifications/progress", Some(&params))
    }
}
