//! The one place that chooses the runtime; nothing else may assume which it is.

use tokio::runtime::{Builder, Runtime};

use super::ended::Ended;

/// One work-stealing runtime with a worker per core. An idle worker takes what a busy one has queued, so that one large
/// answer delays nobody else, and the many callers of one child process need not sit on its core. A runtime per core
/// costs less for each request, and gives both up.
pub(super) fn build() -> Result<Runtime, Ended> {
    Builder::new_multi_thread()
        .thread_name("gateway-worker")
        .enable_all()
        .build()
        .map_err(|error| {
            Ended::Failed(format!(
                "The worker threads cannot be started ({error}), so nothing can be served. Raise the limit of processes (see ulimit -u)."
            ))
        })
}
