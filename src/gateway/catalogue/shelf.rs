//! Keeps a backend's lists, reads each at most once at a time, and knows how old they are.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Kind, Listing, Reader, stale::Stale};
use crate::{backend::CallError, gateway::member::Member, lockfree::Latest, telemetry::Stamp};

/// A list that could not be read is not asked for again before this.
const PAUSE_MS: u64 = 5_000;

/// The lists of one backend.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Catalogue {
    shelves: [Shelf; Kind::ALL.len()],
}

#[derive(Debug)]
struct Shelf {
    listing: ArcSwapOption<Listing>,
    /// Held by whoever reads the list; never taken to look at it.
    reading: Arc<Mutex<()>>,
    /// The last attempt, if it failed and nothing was announced since.
    failed: ArcSwapOption<Failure>,
    /// Since when the backend does not answer for it; until it does.
    stale: ArcSwapOption<Stale>,
    /// 1 from a change that was announced until the list is read again.
    changed: Latest,
}

#[derive(Debug)]
struct Failure {
    at_ms: u64,
    error: CallError,
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            listing: ArcSwapOption::empty(),
            reading: Arc::default(),
            failed: ArcSwapOption::empty(),
            stale: ArcSwapOption::empty(),
            changed: Latest::new(0),
        }
    }
}

/// What is known of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Freshness {
    /// Read lately.
    Fresh,
    /// Worth reading again, or for the first time.
    Due,
    /// Reading failed a moment ago.
    Failed,
}

impl Catalogue {
    /// The last good list.
    pub(in crate::gateway) fn listing(&self, kind: Kind) -> Option<Arc<Listing>> {
        self.shelf(kind).listing.load_full()
    }

    /// Whether the last attempt to read it failed, so that it may be out of date.
    pub(in crate::gateway) fn is_stale(&self, kind: Kind) -> bool {
        self.shelf(kind).failed.load().is_some()
    }

    /// Why the last attempt to read it failed, if it did.
    pub(in crate::gateway) fn failure(&self, kind: Kind) -> Option<CallError> {
        let failure = self.shelf(kind).failed.load();
        failure.as_ref().map(|failure| failure.error.clone())
    }

    /// The same lists for a backend that takes the place of this one: shown until they are read again, and due.
    pub(in crate::gateway) fn handed_on(&self) -> Self {
        let catalogue = Self::default();
        for kind in Kind::ALL
            .into_iter()
            .filter(|kind| self.was_asked_for(*kind))
        {
            let listing = self.listing(kind).map(|listing| listing.handed_on(kind));
            let shelf = catalogue.shelf(kind);
            shelf.listing.store(listing.map(Arc::new));
            shelf.changed.set(1);
        }
        catalogue
    }

    /// Whether it was read or asked for before.
    pub(in crate::gateway) fn was_asked_for(&self, kind: Kind) -> bool {
        let shelf = self.shelf(kind);
        shelf.listing.load().is_some() || self.is_stale(kind) || shelf.stale.load().is_some()
    }

    /// Since when and why its entries are shown as they were, if they are.
    pub(in crate::gateway) fn stale(&self, kind: Kind) -> Option<Arc<Stale>> {
        self.shelf(kind).stale.load_full()
    }

    /// The backend does not answer for a list: from now on what is shown of it is marked, and it is not waited for.
    pub(in crate::gateway) fn doubt(&self, kind: Kind, now: Stamp, reason: &str) {
        let shelf = self.shelf(kind);
        if shelf.stale.load().is_none() {
            shelf.stale.store(Some(Arc::new(Stale::new(now, reason))));
        }
    }

    /// The list is worth reading again as soon as may be.
    pub(in crate::gateway) fn mark_due(&self, kind: Kind) {
        self.shelf(kind).changed.set(1);
    }

    /// Takes out a list that has been stale for longer than `grace`; true if something was on it.
    pub(in crate::gateway) fn expire(&self, kind: Kind, now: Stamp, grace: Duration) -> bool {
        let shelf = self.shelf(kind);
        let listing = shelf.listing.load();
        let age = shelf.stale.load().as_ref().map(|stale| stale.age_ms(now));
        let is_over = age.is_some_and(|age| u128::from(age) >= grace.as_millis());
        let Some(earlier) = listing.as_ref().filter(|_| is_over) else {
            return false;
        };
        // One that was read in this moment is another, and stays.
        let found = shelf.listing.compare_and_swap(&*listing, None);
        let is_out = found
            .as_ref()
            .is_some_and(|found| Arc::ptr_eq(found, earlier));
        is_out && !earlier.entries.is_empty()
    }

    /// Whether it is due because something changed, not because time has passed.
    pub(in crate::gateway) fn is_wanted(&self, kind: Kind) -> bool {
        self.shelf(kind).changed.value() != 0
    }

    pub(in crate::gateway) fn freshness(&self, kind: Kind, now: Stamp, ttl: Duration) -> Freshness {
        let shelf = self.shelf(kind);
        let since = |failure: &Arc<Failure>| now.millis().saturating_sub(failure.at_ms);
        let failed = shelf.failed.load().as_ref().map(since);
        if failed.is_some_and(|ago| ago < PAUSE_MS) {
            return Freshness::Failed;
        }
        let age = shelf
            .listing
            .load()
            .as_ref()
            .map(|listing| now.millis().saturating_sub(listing.read_ms.value()));
        match age {
            Some(age)
                if failed.is_none()
                    && shelf.changed.value() == 0
                    && u128::from(age) < ttl.as_millis() =>
            {
                Freshness::Fresh
            }
            _ => Freshness::Due,
        }
    }

    /// The backend said that it changed.
    pub(in crate::gateway) fn mark_changed(&self, kind: Kind) {
        self.shelf(kind).changed.set(1);
        self.shelf(kind).failed.store(None);
    }

    /// The right to read a list, if nobody is reading it.
    pub(in crate::gateway) fn try_begin(&self, kind: Kind) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.shelf(kind).reading).try_lock_owned().ok()
    }

    /// Waits until nobody reads the list.
    pub(in crate::gateway) async fn reading_is_over(&self, kind: Kind) {
        drop(self.shelf(kind).reading.lock().await);
    }

    /// Reads the list again; true if it is another one than before.
    pub(in crate::gateway) async fn read(
        &self,
        member: &Member,
        kind: Kind,
        reader: &Reader,
    ) -> Result<bool, CallError> {
        let shelf = self.shelf(kind);
        let earlier = shelf.listing.load_full();
        // Before reading: a change that is announced meanwhile makes the list due again.
        shelf.changed.set(0);
        match reader.read(member, kind, earlier.as_deref()).await {
            Ok(listing) => Ok(shelf.put(listing, reader.clock.now())),
            Err(error) => {
                self.doubt(kind, reader.clock.now(), &error.to_string());
                shelf.failed.store(Some(Arc::new(Failure {
                    at_ms: reader.clock.now().millis(),
                    error: error.clone(),
                })));
                Err(error)
            }
        }
    }

    /// Keeps a whole list that passed by in one page; true if it is another one than before.
    ///
    /// One that is the last byte for byte is not read again: with a thousand tools that would take two milliseconds.
    /// The name of a backend whose tools say which arguments go into headers is said in `strictly`.
    pub(in crate::gateway) fn adopt(
        &self,
        kind: Kind,
        page: &Bytes,
        now: Stamp,
        strictly: Option<&str>,
    ) -> bool {
        let shelf = self.shelf(kind);
        let earlier = shelf.listing.load();
        if let Some(same) = earlier.as_ref().filter(|earlier| earlier.is_of(page)) {
            same.read_ms.set(now.millis());
            shelf.failed.store(None);
            shelf.stale.store(None);
            return false;
        }
        Listing::of_one_page(kind, page, earlier.as_deref(), strictly)
            .is_some_and(|listing| shelf.put(listing, now))
    }

    const fn shelf(&self, kind: Kind) -> &Shelf {
        let [tools, resources, templates, prompts] = &self.shelves;
        match kind {
            Kind::Tools => tools,
            Kind::Resources => resources,
            Kind::Templates => templates,
            Kind::Prompts => prompts,
        }
    }
}

impl Shelf {
    fn put(&self, listing: Listing, now: Stamp) -> bool {
        listing.read_ms.set(now.millis());
        self.failed.store(None);
        let listing = Arc::new(listing);
        let earlier = self.listing.swap(Some(Arc::clone(&listing)));
        self.stale.store(None);
        let earlier = earlier.unwrap_or_default();
        !earlier.is_same(&listing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failsafe::{Failsafe, FailsafeConfig};

    const TTL: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Stamp {
        Stamp::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_list_is_fresh_for_its_time_to_live_or_until_a_change_is_announced() {
        let catalogue = Catalogue::default();
        let freshness = |seconds| catalogue.freshness(Kind::Tools, at(seconds), TTL);
        assert_eq!(freshness(0), Freshness::Due);
        let page = Bytes::from_static(br#"{"tools":[{"name":"a"}]}"#);
        assert!(catalogue.adopt(Kind::Tools, &page, at(1), None));
        assert!(!catalogue.adopt(Kind::Tools, &page, at(2), None));
        let spaced = Bytes::from_static(br#"{"tools": [{"name":"a"}]}"#);
        assert!(!catalogue.adopt(Kind::Tools, &spaced, at(2), None));
        assert_eq!(freshness(11), Freshness::Fresh);
        assert_eq!(freshness(12), Freshness::Due);
        catalogue.mark_changed(Kind::Tools);
        assert_eq!(freshness(3), Freshness::Due);
        assert!(catalogue.listing(Kind::Tools).unwrap().find("a").is_some());
        assert!(catalogue.listing(Kind::Prompts).is_none());
    }

    #[test]
    fn a_list_that_nobody_answers_for_is_marked_and_leaves_after_its_grace() {
        const GRACE: Duration = Duration::from_secs(60);
        let catalogue = Catalogue::default();
        catalogue.doubt(Kind::Tools, at(1), "never read");
        assert!(
            !catalogue.expire(Kind::Tools, at(100), GRACE),
            "nothing is there"
        );
        let page = Bytes::from_static(br#"{"tools":[{"name":"a"}]}"#);
        catalogue.adopt(Kind::Tools, &page, at(1), None);
        catalogue.doubt(Kind::Tools, at(2), "gone");
        catalogue.doubt(Kind::Tools, at(40), "still gone");
        assert!(!catalogue.expire(Kind::Tools, at(61), GRACE));
        catalogue.adopt(Kind::Tools, &page, at(61), None);
        assert!(catalogue.stale(Kind::Tools).is_none());
        assert!(!catalogue.expire(Kind::Tools, at(200), GRACE));
        catalogue.doubt(Kind::Tools, at(200), "gone");
        assert!(catalogue.expire(Kind::Tools, at(260), GRACE));
        assert!(!catalogue.expire(Kind::Tools, at(261), GRACE), "only once");
        assert!(catalogue.listing(Kind::Tools).is_none());
        assert!(catalogue.was_asked_for(Kind::Tools));
        assert!(
            catalogue.adopt(Kind::Tools, &page, at(300), None),
            "it is back"
        );
    }

    #[test]
    fn a_first_list_without_entries_changes_nothing() {
        let catalogue = Catalogue::default();
        let page = Bytes::from_static(br#"{"tools":[]}"#);
        assert!(!catalogue.adopt(Kind::Tools, &page, at(1), None));
        assert!(catalogue.listing(Kind::Tools).is_some());
    }

    #[test]
    fn a_successor_shows_what_was_listed_until_it_is_read_and_starts_with_fresh_circuits() {
        let earlier = Catalogue::default();
        let page = Bytes::from_static(br#"{"tools":[{"name":"a"}]}"#);
        earlier.adopt(Kind::Tools, &page, at(1), None);
        let find = |catalogue: &Catalogue| {
            let listing = catalogue.listing(Kind::Tools).unwrap();
            Arc::clone(listing.find("a").unwrap())
        };
        find(&earlier).latency().record_success(5, 0);
        let old = Failsafe::new("old", &FailsafeConfig::default());
        let circuit = find(&earlier);
        let circuit = circuit.circuit(|name| old.tool(name));
        let later = earlier.handed_on();
        assert!(later.is_wanted(Kind::Tools) && !later.is_wanted(Kind::Prompts));
        assert_eq!(later.freshness(Kind::Tools, at(1), TTL), Freshness::Due);
        let entry = find(&later);
        assert!(entry.measured().is_none());
        let new = Failsafe::new("new", &FailsafeConfig::default());
        assert!(!std::ptr::eq(entry.circuit(|name| new.tool(name)), circuit));
        assert!(
            !later.adopt(Kind::Tools, &page, at(2), None),
            "it is the same list"
        );
    }
}
