//! What `/mcp` shows of each backend, and of which backends it shows something else than before.

use std::collections::{BTreeMap, BTreeSet};

use crate::gateway::{catalogue::Kind, directory::ListedTool, table::Table};

/// What is shown of each backend, as text that differs when it does.
type Shown = BTreeMap<Box<str>, Vec<Box<str>>>;

/// Whom a changed list concerns.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Concerned {
    Everybody,
    /// Those who may use one of these backends.
    UsersOf(BTreeSet<Box<str>>),
}

/// Whom it concerns that `after` takes the place of `before`, if the list of this kind is another one.
pub(super) fn concerned(kind: Kind, before: &Table, after: &Table) -> Option<Concerned> {
    let shows_all = |table: &Table| !table.settings().meta_mcp.enabled;
    if kind == Kind::Tools && shows_all(before) != shows_all(after) {
        return Some(Concerned::Everybody);
    }
    let names = differing(&shown(kind, before), &shown(kind, after));
    (!names.is_empty()).then_some(Concerned::UsersOf(names))
}

fn differing(before: &Shown, after: &Shown) -> BTreeSet<Box<str>> {
    let names = before.keys().chain(after.keys());
    names
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect()
}

fn shown(kind: Kind, table: &Table) -> Shown {
    if kind == Kind::Tools {
        return tools(table);
    }
    let mut shown = Shown::new();
    for member in table.members() {
        let listing = member.catalogue().listing(kind).unwrap_or_default();
        for entry in &listing.entries {
            let text = match kind {
                Kind::Prompts => table.prompt_name(member, &entry.key).into(),
                _ => entry.raw.get().into(),
            };
            shown.entry(member.name().into()).or_default().push(text);
        }
    }
    shown
}

fn tools(table: &Table) -> Shown {
    let meta = &table.settings().meta_mcp;
    let is_shown = |listed: &&ListedTool| {
        let is_surfaced = |server: &str, tool: &str| {
            let mut surfaced = meta.surfaced_tools.iter();
            surfaced.any(|surfaced| surfaced.server == server && surfaced.tool == tool)
        };
        !meta.enabled || is_surfaced(listed.member.name(), &listed.entry.key)
    };
    let mut shown = Shown::new();
    for listed in table.directory().tools().iter().filter(is_shown) {
        let name = listed.member.name().into();
        shown
            .entry(name)
            .or_default()
            .push(listed.public.get().into());
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::{
        backend::{Backend, BackendSettings, StdioSettings, TransportSettings},
        gateway::{GatewaySettings, Naming, SurfacedTool, member::Member},
        telemetry::{Clock, Stamp},
    };

    fn member(name: &str, tool: &'static str) -> Arc<Member> {
        let transport = TransportSettings::Stdio(StdioSettings::new("x", &[]));
        let settings = BackendSettings::new(name, transport);
        let member = Member::new(Backend::new(settings, Clock::new()));
        for kind in [Kind::Tools, Kind::Prompts] {
            let page = format!(r#"{{"{}":[{{"name":"{tool}"}}]}}"#, kind.member());
            member
                .catalogue()
                .adopt(kind, &Bytes::from(page), Stamp::default(), None);
        }
        Arc::new(member)
    }

    fn federated() -> GatewaySettings {
        let mut settings = GatewaySettings::default();
        settings.meta_mcp.enabled = false;
        settings.meta_mcp.naming = Naming::Plain;
        settings
    }

    fn users_of(names: &[&str]) -> Option<Concerned> {
        let names = names.iter().map(|&name| name.into()).collect();
        Some(Concerned::UsersOf(names))
    }

    #[test]
    fn a_backend_that_goes_concerns_its_users_and_those_whose_names_change() {
        let (a, b, c) = (member("a", "x"), member("b", "x"), member("c", "y"));
        let before = Table::new(federated(), vec![a, Arc::clone(&b), Arc::clone(&c)]);
        let after = Table::new(federated(), vec![b, c]);
        for kind in [Kind::Tools, Kind::Prompts] {
            assert_eq!(concerned(kind, &before, &after), users_of(&["a", "b"]));
        }
        assert_eq!(concerned(Kind::Resources, &before, &after), None);
    }

    #[test]
    fn behind_meta_tools_only_surfaced_ones_are_seen() {
        let (a, b) = (member("a", "x"), member("b", "y"));
        let mut settings = GatewaySettings::default();
        let plain = || Table::new(settings.clone(), vec![Arc::clone(&a), Arc::clone(&b)]);
        let without_b = Table::new(settings.clone(), vec![Arc::clone(&a)]);
        assert_eq!(concerned(Kind::Tools, &plain(), &without_b), None);
        let before = plain();
        settings.meta_mcp.surfaced_tools = vec![SurfacedTool {
            server: "b".to_owned(),
            tool: "y".to_owned(),
        }];
        let surfaced = Table::new(settings, vec![Arc::clone(&a), Arc::clone(&b)]);
        assert_eq!(concerned(Kind::Tools, &before, &surfaced), users_of(&["b"]));
        let all = Table::new(federated(), vec![a, b]);
        let everybody = Some(Concerned::Everybody);
        assert_eq!(concerned(Kind::Tools, &surfaced, &all), everybody);
    }
}
