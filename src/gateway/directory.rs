//! All tools of all backends under their public names, as one snapshot that is swapped whole.

use std::{collections::HashMap, sync::Arc};

use serde_json::value::RawValue;

use super::{
    catalogue::{Entry, Kind},
    inbound::Caller,
    member::Member,
    naming::Names,
    search::{Hit, SearchIndex},
    settings::MetaMcpSettings,
};

/// The tools of all backends at one moment.
pub(super) struct Directory {
    tools: Vec<ListedTool>,
    by_name: HashMap<Box<str>, usize>,
    index: SearchIndex,
}

/// A tool as `/mcp` shows it.
pub(super) struct ListedTool {
    pub(super) member: Arc<Member>,
    pub(super) entry: Arc<Entry>,
    /// The definition under its public name.
    pub(super) public: Box<RawValue>,
}

impl Directory {
    /// Names every listed tool of these backends that is to be shown; they come in the order of their names.
    pub(super) fn new<'a>(
        members: &[Arc<Member>],
        settings: &MetaMcpSettings,
        reserved: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut names = Names::new(settings.naming, reserved);
        let mut tools = Vec::new();
        let mut by_name = HashMap::new();
        let listed = members.iter().flat_map(tools_of);
        let is_shown =
            |(member, entry): &(Arc<Member>, Arc<Entry>)| settings.shows(member.name(), &entry.key);
        for (member, entry) in listed.filter(is_shown) {
            let name = names.give(member.name(), &entry.key);
            let public = entry.renamed(Kind::Tools, &name);
            by_name.insert(name, tools.len());
            tools.push(ListedTool {
                member,
                entry,
                public,
            });
        }
        let index = SearchIndex::new(tools.iter().map(ListedTool::words));
        Self {
            tools,
            by_name,
            index,
        }
    }

    pub(super) fn tools(&self) -> &[ListedTool] {
        &self.tools
    }

    /// The tool with this public name.
    pub(super) fn find(&self, name: &str) -> Option<&ListedTool> {
        self.by_name
            .get(name)
            .and_then(|place| self.tools.get(*place))
    }

    /// A backend's tool by its own name.
    pub(super) fn tool_of(&self, backend: &str, tool: &str) -> Option<&ListedTool> {
        self.tools
            .iter()
            .find(|listed| listed.member.name() == backend && *listed.entry.key == *tool)
    }

    /// The public names with their tools.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, &ListedTool)> {
        self.by_name
            .iter()
            .filter_map(|(name, place)| Some((&**name, self.tools.get(*place)?)))
    }

    /// Tools by words, the best first.
    pub(super) fn search(&self, query: &str) -> impl Iterator<Item = (f32, &ListedTool)> {
        self.index
            .find(query)
            .into_iter()
            .filter_map(|Hit { place, score }| Some((score, self.tools.get(place)?)))
    }
}

impl ListedTool {
    /// Whether this caller may call it.
    pub(super) fn is_for(&self, caller: &Caller) -> bool {
        caller.may_call(self.member.name(), &self.entry.key)
    }

    fn words(&self) -> [&str; 3] {
        [self.member.name(), &self.entry.key, &self.entry.description]
    }
}

fn tools_of(member: &Arc<Member>) -> Vec<(Arc<Member>, Arc<Entry>)> {
    let listing = member.catalogue().listing(Kind::Tools);
    listing
        .iter()
        .flat_map(|listing| &listing.entries)
        .map(|entry| (Arc::clone(member), Arc::clone(entry)))
        .collect()
}
