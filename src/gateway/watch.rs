//! The tasks that run beside the requests, so that they end with the gateway.

use std::sync::{Mutex, PoisonError};

use tokio::task::{AbortHandle, JoinHandle};

/// The tasks that run beside the requests. Its lock is taken when they start and when they end.
#[derive(Default)]
pub(super) struct Watch(Mutex<Vec<AbortHandle>>);

impl Watch {
    pub(super) fn keep(&self, task: &JoinHandle<()>) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(task.abort_handle());
    }

    /// Ends all tasks.
    pub(super) fn end(&self) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|task| task.abort());
    }
}
