//! Reads a whole list from a backend, page after page, within bounds.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{Entry, Kind};
use crate::{
    backend::{Call, CallError},
    gateway::member::Member,
    lockfree::Latest,
    protocol::{Message, RawObject, Text, quote},
    telemetry::Clock,
};

/// Pages read of one list.
const MOST_PAGES: usize = 100;
/// Entries kept of one list.
const MOST_ENTRIES: usize = 10_000;

/// A list as it was read.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Listing {
    /// In the backend's order.
    pub(in crate::gateway) entries: Vec<Arc<Entry>>,
    places: HashMap<Box<str>, usize>,
    /// Tools that are not there, because the backend may not define them so.
    left_out: Vec<Entry>,
    /// The backend's name, if what it may not define is left out.
    strictly: Option<Box<str>>,
    /// The page it was read from, where it came in one.
    page: Bytes,
    /// When it was read, in milliseconds of the clock.
    pub(super) read_ms: Latest,
}

impl Listing {
    /// An empty list of a backend, whose name is said if its tools say which arguments go into headers.
    fn of(strictly: Option<&str>) -> Self {
        Self {
            strictly: strictly.map(Into::into),
            ..Self::default()
        }
    }

    /// The entry with this name or URI.
    pub(in crate::gateway) fn find(&self, key: &str) -> Option<&Arc<Entry>> {
        self.places
            .get(key)
            .and_then(|place| self.entries.get(*place))
    }

    /// Whether it was read from exactly this page.
    pub(super) fn is_of(&self, page: &[u8]) -> bool {
        std::ptr::eq::<[u8]>(&*self.page, page) || self.page == page
    }

    /// Whether both hold the same definitions in the same order.
    pub(in crate::gateway) fn is_same(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len()
            && self
                .entries
                .iter()
                .zip(&other.entries)
                .all(|(one, other)| one.raw.get() == other.raw.get())
    }

    /// The same definitions, of which nothing was measured yet.
    pub(super) fn handed_on(&self, kind: Kind) -> Self {
        let mut listing = Self::default();
        let fresh = self.entries.iter();
        fresh
            .filter_map(|entry| Entry::read(kind, &entry.raw))
            .for_each(|entry| listing.add(entry));
        listing.read_ms.set(self.read_ms.value());
        listing
    }

    fn add(&mut self, entry: Entry) {
        if self.strictly.is_some() && entry.fault.is_some() {
            self.left_out.push(entry);
            return;
        }
        let place = self.entries.len();
        // Of two with one name the first counts; the backend itself could not tell them apart either.
        if !self.places.contains_key(&entry.key) {
            self.places.insert(entry.key.clone(), place);
            self.entries.push(Arc::new(entry));
        }
    }

    /// Adds a page; the cursor of the next one if there is one.
    fn take(&mut self, kind: Kind, page: &[u8], earlier: Option<&Self>) -> Option<Box<str>> {
        let page = RawObject::parse(page)?;
        for raw in page
            .read::<Vec<&RawValue>>(kind.member())
            .unwrap_or_default()
        {
            let Some(entry) = Entry::read(kind, raw) else {
                continue;
            };
            let before = earlier.and_then(|earlier| earlier.find(&entry.key));
            self.add(entry.continuing(before.map(|entry| &**entry)));
        }
        page.read("nextCursor")
            .map(|Text(cursor)| Box::from(cursor))
    }

    /// Tells of tools that are left out for a reason for which they were not before.
    fn tell(&self, earlier: Option<&Self>) {
        let before = earlier.map(|earlier| &*earlier.left_out);
        let before = before.unwrap_or_default();
        let is_new = |tool: &&Entry| {
            let same = |old: &Entry| old.key == tool.key && old.fault == tool.fault;
            !before.iter().any(same)
        };
        for tool in self.left_out.iter().filter(is_new) {
            let backend = self.strictly.as_deref();
            let (name, reason) = (&*tool.key, tool.fault.as_deref());
            tracing::warn!(
                backend,
                tool = name,
                reason,
                "The tool is left out, because its definition says wrongly which arguments go into headers: mend it at the backend"
            );
        }
    }

    /// A list that came in one page; `None` if there are more.
    pub(super) fn of_one_page(
        kind: Kind,
        page: &Bytes,
        earlier: Option<&Self>,
        strictly: Option<&str>,
    ) -> Option<Self> {
        let mut listing = Self {
            page: page.clone(),
            ..Self::of(strictly)
        };
        let is_whole = listing.take(kind, page, earlier).is_none();
        is_whole.then(|| {
            listing.tell(earlier);
            listing
        })
    }
}

/// How lists are read: on which clock, and until when.
#[derive(Clone)]
pub(in crate::gateway) struct Reader {
    pub(in crate::gateway) clock: Clock,
    pub(in crate::gateway) deadline: Instant,
}

impl Reader {
    /// Reads a whole list; a backend that does not offer this kind has an empty one.
    pub(super) async fn read(
        &self,
        member: &Member,
        kind: Kind,
        earlier: Option<&Listing>,
    ) -> Result<Listing, CallError> {
        let info = member.backend().server_info(self.deadline).await?;
        let mut listing = Listing::of(member.strictly());
        if !offers(&info.initialize_result, kind) {
            return Ok(listing);
        }
        let mut cursor: Option<Box<str>> = None;
        for _ in 0..MOST_PAGES {
            let Some(page) = self.page(member, kind, cursor.as_deref()).await? else {
                // A list that was there does not go because a server that has just started is not ready to say it.
                if earlier.is_some_and(|earlier| !earlier.entries.is_empty()) {
                    return Err(CallError::unreachable(
                        "it refused to list what it had listed before",
                    ));
                }
                return Ok(listing);
            };
            let next = listing.take(kind, &page, earlier);
            if next.is_none() {
                listing.tell(earlier);
                return Ok(listing);
            }
            if next == cursor || listing.entries.len() >= MOST_ENTRIES {
                break;
            }
            cursor = next;
        }
        tracing::warn!(
            backend = member.name(),
            method = kind.method(),
            entries = listing.entries.len(),
            "The list does not end: its cursor repeats or it has too many pages; what was read is used"
        );
        Ok(listing)
    }

    /// One page, or `None` where the backend refuses to list.
    async fn page(
        &self,
        member: &Member,
        kind: Kind,
        cursor: Option<&str>,
    ) -> Result<Option<Bytes>, CallError> {
        let params = cursor.map(|cursor| [&b"{\"cursor\":"[..], &quote(cursor), b"}"].concat());
        let message = Message::request(b"1", kind.method(), params.as_deref());
        let call = Call::of_gateway(message, self.clock.now(), self.deadline);
        let answer = member.send(&call).await?;
        if let Some(error) = answer.message.error_message() {
            tracing::warn!(backend = member.name(), method = kind.method(), %error, "The backend refused to list");
        }
        Ok(answer.message.result())
    }
}

fn offers(initialize_result: &[u8], kind: Kind) -> bool {
    let capabilities = RawObject::parse(initialize_result)
        .and_then(|result| result.read::<RawObject<'_>>("capabilities"));
    capabilities.is_none_or(|capabilities| capabilities.member(kind.capability()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_add_up_and_the_first_of_two_with_one_name_counts() {
        let mut listing = Listing::default();
        let first =
            br#"{"tools":[{"name":"a","description":"1"},{"nameless":1}],"nextCursor":"x"}"#;
        assert_eq!(listing.take(Kind::Tools, first, None).as_deref(), Some("x"));
        let last = br#"{"tools":[{"name":"a","description":"2"},{"name":"b"}]}"#;
        assert_eq!(listing.take(Kind::Tools, last, None), None);
        assert_eq!(listing.entries.len(), 2);
        assert_eq!(&*listing.find("a").unwrap().description, "1");
        assert!(listing.find("c").is_none());
    }

    #[test]
    fn a_list_read_again_goes_on_with_its_measurements() {
        let page = br#"{"tools":[{"name":"a"}]}"#;
        let earlier =
            Listing::of_one_page(Kind::Tools, &Bytes::from_static(page), None, None).unwrap();
        earlier.find("a").unwrap().latency().record_success(5, 0);
        let page = br#"{"tools":[{"name":"a","title":"new"}]}"#;
        let later =
            Listing::of_one_page(Kind::Tools, &Bytes::from_static(page), Some(&earlier), None)
                .unwrap();
        assert!(!later.is_same(&earlier));
        let counts = later.find("a").unwrap().measured().unwrap().counts();
        assert_eq!(counts, (1, 0));
    }

    #[test]
    fn a_page_with_a_successor_is_no_whole_list() {
        let page = br#"{"prompts":[],"nextCursor":"x"}"#;
        let page = Bytes::from_static(page);
        assert!(Listing::of_one_page(Kind::Prompts, &page, None, None).is_none());
    }

    #[test]
    fn a_backend_without_the_capability_is_not_asked() {
        let result = br#"{"capabilities":{"tools":{}}}"#;
        assert!(offers(result, Kind::Tools));
        assert!(!offers(result, Kind::Templates));
    }
}
