//! The resources of which a modern backend is to tell changes: one subscription for all who want to hear of any.

use std::{collections::BTreeSet, time::Duration};

use tokio::{
    sync::{Mutex, watch},
    time::timeout,
};

/// How long a backend may take to agree to a subscription before whoever asked goes on without knowing.
const AGREE: Duration = Duration::from_secs(5);

/// What is wanted, and how far the backend has agreed to it.
#[derive(Debug)]
pub(super) struct Watched {
    wanted: watch::Sender<Wanted>,
    agreed: watch::Sender<Agreed>,
    /// Held by one who was refused together with others, and asks once more alone.
    alone: Mutex<()>,
}

/// What the backend answered last.
#[derive(Clone, Copy, Debug)]
struct Agreed {
    version: u64,
    is_agreed: bool,
    /// Whether the set had changed more than once since its last answer.
    is_of_several: bool,
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
            agreed: watch::Sender::new(Agreed {
                version: 0,
                is_agreed: true,
                is_of_several: false,
            }),
            alone: Mutex::default(),
        }
    }
}

impl Watched {
    /// Wants to hear of a resource, and waits until the backend has answered; false if it refuses. One that does not answer
    /// may have agreed.
    pub(super) async fn add(&self, uri: &str) -> bool {
        let answer = self.ask_for(uri).await;
        if answer.is_agreed || !answer.is_of_several {
            return answer.is_agreed;
        }
        // It may have been another one that was refused.
        let _alone = self.alone.lock().await;
        self.ask_for(uri).await.is_agreed
    }

    async fn ask_for(&self, uri: &str) -> Agreed {
        let unknown = Agreed {
            version: 0,
            is_agreed: true,
            is_of_several: false,
        };
        let is_new = self.change(|uris| uris.insert(uri.into()));
        if !is_new {
            return unknown;
        }
        let version = self.wanted.borrow().version;
        let mut agreed = self.agreed.subscribe();
        let answered = agreed.wait_for(|answered| answered.version >= version);
        let answer = match timeout(AGREE, answered).await {
            Ok(Ok(answer)) => *answer,
            _ => unknown,
        };
        if !answer.is_agreed {
            self.remove(uri);
        }
        answer
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
            let is_newer = version > agreed.version;
            if is_newer {
                *agreed = Agreed {
                    version,
                    is_agreed,
                    is_of_several: version > agreed.version + 1,
                };
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
    async fn what_is_refused_together_with_others_is_asked_for_once_more_alone() {
        let watched = Arc::new(Watched::default());
        let mut wanted = watched.wanted();
        let ask = |uri: &'static str| {
            let watched = Arc::clone(&watched);
            tokio::spawn(async move { watched.add(uri).await })
        };
        let asking = ["a:bad", "a:good"].map(ask);
        let backend = async {
            loop {
                wanted.changed().await.unwrap();
                // All that was changed in one go is seen at once.
                tokio::time::sleep(Duration::from_millis(1)).await;
                let set = wanted.borrow_and_update().clone();
                watched.answer(set.version, !set.uris.contains("a:bad"));
            }
        };
        let answers = async {
            let [bad, good] = asking;
            assert!(!bad.await.unwrap());
            assert!(good.await.unwrap());
        };
        tokio::select! {
            () = backend => {}
            () = answers => {}
        }
        let wanted: Vec<_> = watched.wanted().borrow().uris.iter().cloned().collect();
        assert_eq!(wanted, ["a:good".into()]);
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
