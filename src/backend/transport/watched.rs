//! The resources of which a modern backend is to tell changes: one subscription for all who want to hear of any.

use std::{collections::BTreeSet, time::Duration};

use tokio::{sync::watch, time::timeout};

/// How long a backend may take to agree to a subscription before whoever asked goes on without knowing.
const AGREE: Duration = Duration::from_secs(5);

/// What is wanted, and how far the backend has agreed to it.
#[derive(Debug)]
pub(super) struct Watched {
    wanted: watch::Sender<Wanted>,
    /// The version that was answered last, and whether the backend has agreed to it.
    agreed: watch::Sender<(u64, bool)>,
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
            agreed: watch::Sender::new((0, true)),
        }
    }
}

impl Watched {
    /// Wants to hear of a resource, and waits until the backend has answered; false if it refuses. One that does not answer
    /// may have agreed.
    pub(super) async fn add(&self, uri: &str) -> bool {
        let is_new = self.change(|uris| uris.insert(uri.into()));
        if !is_new {
            return true;
        }
        let version = self.wanted.borrow().version;
        let mut agreed = self.agreed.subscribe();
        let answered = agreed.wait_for(|(answered, _)| *answered >= version);
        let is_agreed = match timeout(AGREE, answered).await {
            Ok(Ok(answer)) => answer.1,
            _ => true,
        };
        if !is_agreed {
            self.remove(uri);
        }
        is_agreed
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

    /// The backend tells of the set of this version, or refuses to.
    pub(super) fn answer(&self, version: u64, is_agreed: bool) {
        self.agreed.send_if_modified(|agreed| {
            let is_newer = version > agreed.0;
            if is_newer {
                *agreed = (version, is_agreed);
            }
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
            async move { assert!(watched.add("a:b").await) }
        });
        wanted.changed().await.unwrap();
        assert!(wanted.borrow().uris.contains("a:b"));
        assert!(!asking.is_finished());
        watched.answer(wanted.borrow().version, true);
        asking.await.unwrap();
        assert!(watched.add("a:b").await);
        watched.remove("a:b");
        assert!(wanted.borrow_and_update().uris.is_empty());
        assert!(watched.add("never:answered").await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_backend_refuses_is_not_wanted_any_more() {
        let watched = Arc::new(Watched::default());
        let mut wanted = watched.wanted();
        let asking = tokio::spawn({
            let watched = Arc::clone(&watched);
            async move { watched.add("a:bad").await }
        });
        wanted.changed().await.unwrap();
        watched.answer(wanted.borrow_and_update().version, false);
        assert!(!asking.await.unwrap());
        assert!(wanted.borrow().uris.is_empty());
    }
}
