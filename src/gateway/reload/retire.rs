//! How a backend goes that was taken out: its calls in flight finish, then its child or its session ends.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::{Instant, timeout_at};

use crate::{
    backend::Backend,
    gateway::{facade::Gateway, member::Member, sessions::Ending},
};

/// How long a backend that nobody calls any more may take to end.
const GRACE: std::time::Duration = std::time::Duration::from_secs(10);

/// The backends that were taken out and have not ended yet. Its lock is held while a configuration is taken over, so that
/// there is one at a time, and none once the gateway stops.
#[derive(Default)]
pub(in crate::gateway) struct Retiring(Mutex<Vec<Arc<Backend>>>);

impl Retiring {
    pub(in crate::gateway) fn lock(&self) -> MutexGuard<'_, Vec<Arc<Backend>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// Lets the calls of a member that was taken out finish until `deadline`, and ends it, with the ways that single clients
    /// had to it.
    pub(super) async fn retire(
        self: Arc<Self>,
        member: Arc<Member>,
        ways: Vec<Ending>,
        deadline: Instant,
    ) {
        let backend = Arc::clone(member.backend());
        let released = member.released();
        drop(member);
        if timeout_at(deadline, released).await.is_err() {
            let in_flight = backend.status().in_flight;
            tracing::warn!(
                backend = backend.name(),
                in_flight,
                "Calls to a backend that was taken out did not end within the shutdown timeout, and are cut"
            );
        }
        ways.into_iter().for_each(|end| end());
        backend.shutdown(Instant::now() + GRACE).await;
        self.retiring
            .lock()
            .retain(|other| !Arc::ptr_eq(other, &backend));
        tracing::info!(
            backend = backend.name(),
            "Backend that was taken out has ended"
        );
    }
}
