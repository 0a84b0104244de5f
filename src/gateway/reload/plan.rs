//! What becomes of each backend when other settings take the place of the present ones.

use std::{collections::HashMap, sync::Arc};

use crate::{backend::BackendSettings, gateway::member::Member};

/// Each backend that is there or is to be there, once.
#[derive(Default)]
pub(super) struct Plan {
    /// Its settings are the same: it goes on as it is.
    pub(super) unchanged: Vec<Arc<Member>>,
    /// It goes on as it is, with other tools.
    pub(super) renewed: Vec<(Arc<Member>, BackendSettings)>,
    /// Another one of its name takes its place.
    pub(super) changed: Vec<(Arc<Member>, BackendSettings)>,
    /// There was none of its name.
    pub(super) added: Vec<BackendSettings>,
    /// There is none of its name any more.
    pub(super) removed: Vec<Arc<Member>>,
}

impl Plan {
    /// Compares `present` backends with the settings of those that are to be. Of two settings with one name the first counts.
    pub(super) fn new(present: &[Arc<Member>], wanted: Vec<BackendSettings>) -> Self {
        let mut plan = Self::default();
        let mut left: HashMap<&str, &Arc<Member>> = present
            .iter()
            .map(|member| (member.name(), member))
            .collect();
        let mut met = Vec::new();
        for settings in wanted {
            if met.contains(&settings.name) {
                continue;
            }
            met.push(settings.name.clone());
            match left.remove(&*settings.name) {
                None => plan.added.push(settings),
                Some(member) if *member.backend().settings() == settings => {
                    plan.unchanged.push(Arc::clone(member));
                }
                Some(member) if member.backend().can_become(&settings) => {
                    plan.renewed.push((Arc::clone(member), settings));
                }
                Some(member) => plan.changed.push((Arc::clone(member), settings)),
            }
        }
        let is_left = |member: &&Arc<Member>| left.contains_key(member.name());
        plan.removed = present.iter().filter(is_left).cloned().collect();
        plan
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        backend::{Backend, StdioSettings, TransportSettings},
        telemetry::{Clock, Secret},
    };

    fn settings(name: &str) -> BackendSettings {
        let mut stdio = StdioSettings::new("x", &["y"]);
        stdio.env.insert("KEY".to_owned(), Secret::new("old"));
        BackendSettings::new(name, TransportSettings::Stdio(stdio))
    }

    fn member(name: &str) -> Arc<Member> {
        Arc::new(Member::new(Backend::new(settings(name), Clock::new())))
    }

    fn names<'a>(members: impl IntoIterator<Item = &'a Arc<Member>>) -> Vec<&'a str> {
        members.into_iter().map(|member| member.name()).collect()
    }

    #[test]
    fn each_backend_has_one_fate() {
        let present = ["a", "b", "c"].map(member);
        let mut slower = settings("b");
        slower.timeout = Duration::from_secs(9);
        let plan = Plan::new(&present, vec![settings("d"), slower, settings("a")]);
        assert!(Arc::ptr_eq(&plan.unchanged[0], &present[0]));
        assert_eq!(names(&plan.unchanged), ["a"]);
        assert_eq!(names(plan.changed.iter().map(|(member, _)| member)), ["b"]);
        assert_eq!(&*plan.added[0].name, "d");
        assert_eq!(names(&plan.removed), ["c"]);
    }

    #[test]
    fn any_setting_that_differs_makes_another_backend_of_it_even_a_secret() {
        let present = [member("a")];
        let changes: [fn(&mut BackendSettings); 4] = [
            |settings| settings.failsafe.circuit_breaker.failure_threshold += 1,
            |settings| settings.description = Some("new".to_owned()),
            |settings| settings.max_concurrency += 1,
            |settings| {
                if let TransportSettings::Stdio(stdio) = &mut settings.transport {
                    stdio.env.insert("KEY".to_owned(), Secret::new("new"));
                }
            },
        ];
        for change in changes {
            let mut wanted = settings("a");
            change(&mut wanted);
            assert_eq!(Plan::new(&present, vec![wanted]).changed.len(), 1);
        }
        let same = Plan::new(&present, vec![settings("a"), settings("a")]);
        assert_eq!((same.unchanged.len(), same.added.len()), (1, 0));
    }
}
