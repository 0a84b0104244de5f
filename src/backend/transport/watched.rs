//! The resources of which a modern backend is to tell changes: one subscription for all who want to hear of any.

use std::{collections::BTreeSet, time::Duration};

use tokio::{sync::watch, time::timeout};

/// How long a backend may take to agree to a subscription before whoever asked goes on without knowing.
const AGREE: Duration = Duration::from_secs(5);

/// What is wanted, and how far the backend has agreed to it.
#[derive(Debug)]
pub(super) struct Watched {
    wanted: watch::Sender<Wanted>,
    agreed: watch::Sender<u64>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) uris: BTreeSet<Box<str>>,
    /// Counts the changes of the set.
    pub(super) version: u64,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            wanted: watch::Sender::new(Wanted::default()),
            agreed: watch::Sender::new(0),
        }
    }
}

impl Watched {
    /// Wants to hear of a resource, and waits until the backend has agreed.
    pub(super) async fn add(&self, uri: &str) {
        let is_new = self.change(|uris| uris.insert(uri.into()));
        if is_new {
            let version = self.wanted.borrow().version;
            let mut agreed = self.agreed.subscribe();
            let _ = timeout(AGREE, agreed.wait_for(|agreed| *agreed >= version)).await;
        }
    }

    /// Nobody wants to hear of it any more.
    pub(super) fn remove(&self, uri: &str) {
        self.change(|uris| uris.remove(uri));
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<Box<str>>) -> bool) -> bool {
        self.wanted.send_if_modified(|wanted| {
            let is_changed = change(&mut wanted.uris);
            wanted.version += u64::from(is_changed);
            is_changed
        })
    }

    /// The set, now and at each change.
    pub(super) fn wanted(&self) -> watch::Receiver<Wanted> {
        self.wanted.subscribe()
    }

    /// The backend tells of the set of this version.
    pub(super) fn agree(&self, version: u64) {
        self.agreed.send_if_modified(|agreed| {
            let is_newer = version > *agreed;
            *agreed = (*agreed).max(version);
            is_newer
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_goes_on_once_the_backend_has_agreed() {
        let watched = Arc::new(Watched::default());
        let mut wanted = watched.wanted();
        let asking = tokio::spawn({
            let watched = Arc::clone(&watched);
            async move { watched.add("a:b").await }
        });
        wanted.changed().await.unwrap();
        assert!(wanted.borrow().uris.contains("a:b"));
        assert!(!asking.is_finished());
        watched.agree(wanted.borrow().version);
        asking.await.unwrap();
        watched.add("a:b").await;
        watched.remove("a:b");
        assert!(wanted.borrow_and_update().uris.is_empty());
        watched.add("never:agreed").await;
    }
}
