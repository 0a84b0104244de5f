//! All backends at one moment, with their tools under public names and what holds for all: a snapshot that is swapped whole.

use std::{collections::HashMap, sync::Arc};

use super::{
    directory::Directory, inbound::Caller, member::Member, meta_tools::MetaTool, nearest::nearest,
    replies::Refusal, settings::GatewaySettings,
};

/// The settings, the backends, found by their names, and the names of their tools.
pub(super) struct Table {
    roster: Arc<Roster>,
    directory: Arc<Directory>,
}

struct Roster {
    settings: GatewaySettings,
    members: Vec<Arc<Member>>,
    places: HashMap<Box<str>, usize>,
}

impl Table {
    /// A table of these backends, which bear different names.
    pub(super) fn new(settings: GatewaySettings, mut members: Vec<Arc<Member>>) -> Self {
        members.sort_by(|one, other| one.name().cmp(other.name()));
        let places = members
            .iter()
            .enumerate()
            .map(|(place, member)| (member.name().into(), place))
            .collect();
        Self::of(Arc::new(Roster {
            settings,
            members,
            places,
        }))
    }

    fn of(roster: Arc<Roster>) -> Self {
        let reserved = MetaTool::ALL.map(MetaTool::name);
        let directory = Directory::new(&roster.members, &roster.settings.meta_mcp, reserved);
        Self {
            directory: Arc::new(directory),
            roster,
        }
    }

    /// The same backends with all tools named anew, after a list has changed.
    pub(super) fn renamed(&self) -> Self {
        Self::of(Arc::clone(&self.roster))
    }

    /// What holds for all of them.
    pub(super) fn settings(&self) -> &GatewaySettings {
        &self.roster.settings
    }

    /// Whether a backend's tool is there on the aggregate endpoint.
    pub(super) fn shows(&self, backend: &str, tool: &str) -> bool {
        self.settings().meta_mcp.shows(backend, tool)
    }

    /// All backends, in the order of their names.
    pub(super) fn members(&self) -> &[Arc<Member>] {
        &self.roster.members
    }

    /// The backends that this caller may use.
    pub(super) fn members_for<'a>(
        &'a self,
        caller: &'a Caller,
    ) -> impl Iterator<Item = &'a Arc<Member>> {
        self.members()
            .iter()
            .filter(|member| caller.may_use(member.name()))
    }

    pub(super) fn find(&self, name: &str) -> Option<&Arc<Member>> {
        let place = self.roster.places.get(name)?;
        self.roster.members.get(*place)
    }

    /// Whether this very member is on the table.
    pub(super) fn holds(&self, member: &Arc<Member>) -> bool {
        self.find(member.name())
            .is_some_and(|found| Arc::ptr_eq(found, member))
    }

    /// The backend with this name, if the caller may use it.
    pub(super) fn member(&self, name: &str, caller: &Caller) -> Result<&Arc<Member>, Refusal> {
        let member = self.find(name).ok_or_else(|| Refusal::UnknownBackend {
            name: name.into(),
            suggest: self.nearest_backend(name, caller),
        })?;
        if caller.may_use(name) {
            Ok(member)
        } else {
            Err(Refusal::BackendForbidden(name.into()))
        }
    }

    /// The same for a name that stands in a path, which is not there if the backend is not.
    pub(super) fn endpoint(&self, name: &str, caller: &Caller) -> Result<&Arc<Member>, Refusal> {
        self.member(name, caller).map_err(|refusal| match refusal {
            Refusal::UnknownBackend { name, suggest } => Refusal::NoSuchEndpoint { name, suggest },
            other => other,
        })
    }

    fn nearest_backend(&self, name: &str, caller: &Caller) -> Option<Box<str>> {
        let names = self.members_for(caller).map(|member| member.name());
        nearest(name, names).map(Into::into)
    }

    /// All tools under their public names.
    pub(super) const fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }
}
