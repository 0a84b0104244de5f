//! The lists of `/mcp`: all that the backends offer to this caller, and the names of those that did not answer in time.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::value::RawValue;

use crate::gateway::{
    catalogue::{Entry, Kind, Mark},
    facade::Gateway,
    freshen::Missing,
    inbound::Caller,
    member::Member,
    meta_tools::MetaTool,
    replies::Refusal,
    request::Request,
    uris,
};

/// A list as it goes to the client.
struct List {
    kind: Kind,
    entries: Vec<Box<RawValue>>,
    missing: Vec<Missing>,
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Meta<'a> {
            missing: &'a [Missing],
        }
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry(self.kind.member(), &self.entries)?;
        if !self.missing.is_empty() {
            let missing = &self.missing;
            map.serialize_entry("_meta", &Meta { missing })?;
        }
        map.end()
    }
}

impl Gateway {
    pub(super) async fn list_tools(self: &Arc<Self>, request: &Request) -> Result<Bytes, Refusal> {
        refuse_cursor(request)?;
        let (entries, missing) = if self.table().settings().meta_mcp.enabled {
            self.surfaced(&request.caller).await
        } else {
            self.federated(&request.caller).await
        };
        let kind = Kind::Tools;
        Ok(finish(request, kind, entries, missing))
    }

    /// The meta-tools, and beside them the tools that the configuration names.
    async fn surfaced(self: &Arc<Self>, caller: &Caller) -> (Vec<Box<RawValue>>, Vec<Missing>) {
        let table = self.snapshot();
        let surfaced = &table.settings().meta_mcp.surfaced_tools;
        let members: Vec<_> = table
            .members_for(caller)
            .filter(|member| surfaced.iter().any(|tool| tool.server == member.name()))
            .cloned()
            .collect();
        let missing = self.freshen_shown(members.clone(), &[Kind::Tools]).await;
        let stale = self.stale_of(&members, Kind::Tools);
        let directory = self.directory();
        let tools = surfaced
            .iter()
            .filter(|tool| caller.may_call(&tool.server, &tool.tool))
            .filter_map(|tool| directory.tool_of(&tool.server, &tool.tool))
            .map(|listed| stale.show(listed.member.name(), &listed.public));
        let entries = MetaTool::ALL
            .into_iter()
            .filter(|tool| caller.operator || !tool.is_for_operators())
            .map(MetaTool::definition)
            .chain(tools)
            .collect();
        (entries, missing)
    }

    async fn federated(self: &Arc<Self>, caller: &Caller) -> (Vec<Box<RawValue>>, Vec<Missing>) {
        let members: Vec<_> = self.table().members_for(caller).cloned().collect();
        let missing = self.freshen_shown(members.clone(), &[Kind::Tools]).await;
        let stale = self.stale_of(&members, Kind::Tools);
        let directory = self.directory();
        let entries = directory
            .tools()
            .iter()
            .filter(|listed| listed.is_for(caller))
            .map(|listed| stale.show(listed.member.name(), &listed.public))
            .collect();
        (entries, missing)
    }

    pub(super) async fn list_resources(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let named = by_uri(Kind::Resources, |uri| uri.into());
        self.list(request, Kind::Resources, named).await
    }

    pub(super) async fn list_templates(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let named = by_uri(Kind::Templates, |template| uris::shape(template).into());
        self.list(request, Kind::Templates, named).await
    }

    pub(super) async fn list_prompts(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        self.list(request, Kind::Prompts, |member, entry| {
            entry.renamed(Kind::Prompts, &self.table().prompt_name(member, &entry.key))
        })
        .await
    }

    async fn list(
        self: &Arc<Self>,
        request: &Request,
        kind: Kind,
        mut show: impl FnMut(&Member, &Entry) -> Box<RawValue>,
    ) -> Result<Bytes, Refusal> {
        refuse_cursor(request)?;
        let members: Vec<_> = self.table().members_for(&request.caller).cloned().collect();
        let missing = self.freshen_shown(members.clone(), &[kind]).await;
        let stale = self.stale_of(&members, kind);
        let mut entries = Vec::new();
        for member in &members {
            let Some(listing) = member.catalogue().listing(kind) else {
                continue;
            };
            for entry in &listing.entries {
                entries.push(stale.mark(member.name(), show(member, entry)));
            }
        }
        Ok(finish(request, kind, entries, missing))
    }
}

/// Shows resources and templates: of backends that offer the same `said`, the first under its own URI and the others under ours.
fn by_uri(
    kind: Kind,
    said: impl Fn(&str) -> Box<str>,
) -> impl FnMut(&Member, &Entry) -> Box<RawValue> {
    let mut taken: HashMap<Box<str>, Box<str>> = HashMap::new();
    move |member, entry| {
        let first = taken
            .entry(said(&entry.key))
            .or_insert_with(|| member.name().into());
        if **first == *member.name() && !uris::is_ours(&entry.key) {
            entry.raw.clone()
        } else {
            entry.renamed(kind, &uris::named(member.name(), &entry.key))
        }
    }
}

/// The backends whose entries are shown as they were: mostly none.
struct StaleOnes(Vec<(Box<str>, Mark)>);

impl Gateway {
    fn stale_of(&self, members: &[Arc<Member>], kind: Kind) -> StaleOnes {
        let stale = members.iter().filter_map(|member| {
            let stale = member.catalogue().stale(kind)?;
            Some((member.name().into(), stale.mark(&self.clock)))
        });
        StaleOnes(stale.collect())
    }
}

impl StaleOnes {
    fn of(&self, backend: &str) -> Option<&Mark> {
        let found = self.0.iter().find(|(name, _)| **name == *backend);
        found.map(|(_, mark)| mark)
    }

    fn show(&self, backend: &str, definition: &RawValue) -> Box<RawValue> {
        self.mark(backend, definition.to_owned())
    }

    fn mark(&self, backend: &str, definition: Box<RawValue>) -> Box<RawValue> {
        match self.of(backend) {
            Some(mark) => mark.put_on(&definition),
            None => definition,
        }
    }
}

fn finish(
    request: &Request,
    kind: Kind,
    entries: Vec<Box<RawValue>>,
    missing: Vec<Missing>,
) -> Bytes {
    let list = List {
        kind,
        entries,
        missing,
    };
    request.respond(&serde_json::to_vec(&list).unwrap_or_default())
}

/// Our lists come in one page, so no cursor can be ours, whatever its type.
fn refuse_cursor(request: &Request) -> Result<(), Refusal> {
    if !request.message.has_cursor() {
        return Ok(());
    }
    Err(Refusal::InvalidParams(
        "The cursor is unknown, so nothing was listed: this list has one page. Ask again without a cursor.".into(),
    ))
}
