//! A session's own way to one backend, with the task that listens there.

use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::backend::Line;

/// What is done when the last call on a line is over.
pub(in crate::gateway) type Ending = Box<dyn FnOnce() + Send>;

/// A line, and the task that hears what its backend says outside of calls. Both end when it is dropped.
pub(in crate::gateway) struct OwnLine {
    line: Arc<Line>,
    hearing: AbortHandle,
}

impl OwnLine {
    pub(in crate::gateway) const fn new(line: Arc<Line>, hearing: AbortHandle) -> Self {
        Self { line, hearing }
    }

    pub(super) const fn line(&self) -> &Arc<Line> {
        &self.line
    }

    /// Ends both now: the map that holds it may keep it for a while.
    pub(super) fn end(&self) {
        self.hearing.abort();
        self.line.end();
    }
}

impl Drop for OwnLine {
    fn drop(&mut self) {
        self.hearing.abort();
    }
}
