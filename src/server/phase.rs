//! Where the server is between its start and its end, as every connection sees it.

use tokio::sync::watch;

/// The life of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    /// Connections are taken.
    Open,
    /// A stop was asked for: calls in flight finish, nothing new begins, open streams end.
    Draining,
    /// The time for that is over: what is still open is cut.
    Cut,
}

/// Resolves once `phase` or a later one is reached; also when the server is gone.
pub(super) async fn reached(mut seen: watch::Receiver<Phase>, phase: Phase) {
    let _ = seen.wait_for(|now| *now >= phase).await;
}
