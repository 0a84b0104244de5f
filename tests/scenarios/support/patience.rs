//! How long a situation waits for what must happen.

use std::{thread, time::Duration};

use tokio::time::Instant;

/// The longest wait for anything: far above what a loaded machine needs, so that reaching it means "never".
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Polls a condition until it yields a value; fails with `what` when patience ends.
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
