//! Takes over another configuration: one swap, and what follows from it for clients, for backends, and for their lists.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use serde::Serialize;
use tokio::time::Instant;

use super::{
    plan::Plan,
    shown::{Concerned, concerned},
};
use crate::{
    backend::{Backend, BackendSettings},
    gateway::{
        Caller, GatewaySettings, Route,
        catalogue::Kind,
        facade::Gateway,
        member::Member,
        sessions::{Ending, Session},
        table::Table,
    },
    protocol::Message,
};

/// What became of the backends, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Adopted {
    /// New ones.
    pub added: Vec<Box<str>>,
    /// Those that were made anew, because a setting of theirs is another one.
    pub changed: Vec<Box<str>>,
    /// Those that are gone.
    pub removed: Vec<Box<str>>,
    /// Those that go on with other tools.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renewed: Vec<Box<str>>,
    /// How many go on as they are.
    pub unchanged: usize,
}

impl Gateway {
    /// Takes over other settings and backends at once: requests that come from now on find them, those in flight end as they
    /// began. A backend whose settings are the same keeps its child, its sessions and its statistics; one that is taken out
    /// ends with its calls, or after `patience`. Nothing happens, and nothing is returned, if the gateway is stopping.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn adopt(
        self: &Arc<Self>,
        settings: &GatewaySettings,
        backends: Vec<BackendSettings>,
        patience: Duration,
    ) -> Option<Adopted> {
        let mut retiring = self.retiring.lock();
        if self.is_draining() {
            return None;
        }
        let before = self.snapshot();
        let plan = Plan::new(before.members(), backends);
        let adopted = Adopted::of(&plan);
        let successors: Vec<_> = plan
            .changed
            .iter()
            .map(|(old, settings)| {
                let backend = Backend::new(settings.clone(), self.clock.clone());
                Arc::new(Member::succeeding(backend, old))
            })
            .collect();
        let new = |settings| Arc::new(Member::new(Backend::new(settings, self.clock.clone())));
        let added: Vec<_> = plan.added.into_iter().map(new).collect();
        let renewed: Vec<_> = plan.renewed.iter().map(|(it, _)| Arc::clone(it)).collect();
        let members = [&plan.unchanged, &renewed, &successors, &added];
        let members = members.map(|members| members.iter().cloned());
        let members: Vec<_> = members.into_iter().flatten().collect();
        let after = self.swap(settings, &members);
        for (member, wanted) in &plan.renewed {
            member.backend().become_other(wanted);
        }
        let arrived = successors.iter().chain(&added);
        arrived.for_each(|member| self.watch_over(member));
        let replaced = plan.changed.into_iter().map(|(old, _)| old);
        let deadline = Instant::now() + patience;
        for member in plan.removed.into_iter().chain(replaced) {
            member.watch().end();
            retiring.push(Arc::clone(member.backend()));
            let ways = self.forget_ways(&member);
            tokio::spawn(Arc::clone(self).retire(member, ways, deadline));
        }
        self.part(&adopted);
        self.tell_of(&before, &after);
        self.catch_up(&successors, &added, &after);
        Some(adopted)
    }

    /// Ends the sessions of callers that `knows` does not know as they are: whose key is gone, or has other rights. Their
    /// calls in flight go on.
    pub fn dismiss_all_but(&self, knows: impl Fn(&Caller) -> bool) {
        self.sessions.dismiss(|session| !knows(session.caller()));
    }

    fn swap(&self, settings: &GatewaySettings, members: &[Arc<Member>]) -> Arc<Table> {
        self.sessions.adopt(settings.sessions.clone());
        // Built inside the swap, so that a list that changes meanwhile is not lost.
        self.table
            .rcu(|_| Table::new(settings.clone(), members.to_vec()));
        self.snapshot()
    }

    /// The ways that single clients have to a member that was taken out; from now on they get others.
    fn forget_ways(&self, member: &Member) -> Vec<Ending> {
        let mut ways = self.lent.forget(member.name());
        self.sessions
            .for_each(|session| ways.extend(session.forget_line(member.name())));
        ways
    }

    /// Sessions at the endpoint of a backend that is gone end with it. Where another one took its place, they stay, but
    /// subscriptions of newer revisions end: what was asked of the old one for them is not known to the new one, and their
    /// clients open them again.
    fn part(&self, adopted: &Adopted) {
        let is_any_gone = !(adopted.removed.is_empty() && adopted.changed.is_empty());
        self.sessions.dismiss(|session| match session.route() {
            Route::Aggregate => {
                is_any_gone && session.is_subscription() && !session.subscribed().is_empty()
            }
            Route::Backend(name) => {
                adopted.removed.contains(name)
                    || (session.is_subscription() && adopted.changed.contains(name))
            }
        });
    }

    fn tell_of(&self, before: &Table, after: &Table) {
        let mut told = BTreeSet::new();
        for kind in Kind::ALL {
            let Some(concerned) = concerned(kind, before, after) else {
                continue;
            };
            // Resources and their templates have one notification.
            if !told.insert((kind.notification(), format!("{concerned:?}"))) {
                continue;
            }
            let message = Message::notification(kind.notification(), None);
            self.tell(&message, |session| {
                *session.route() == Route::Aggregate && concerned.includes(session)
            });
        }
    }

    /// Reads what was shown before, and what somebody would see now. Other backends start when they are called.
    fn catch_up(self: &Arc<Self>, successors: &[Arc<Member>], added: &[Arc<Member>], now: &Table) {
        for member in successors {
            let asked = |kind: &Kind| member.catalogue().is_wanted(*kind);
            self.read_anew(member, Kind::ALL.into_iter().filter(asked).collect());
        }
        let warm = &now.settings().meta_mcp.warm_start;
        for member in added {
            let is_warm = warm.iter().any(|name| name == "*" || name == member.name());
            if is_warm || self.is_seen(member) {
                self.read_anew(member, Kind::ALL.to_vec());
            }
        }
    }

    fn is_seen(&self, member: &Member) -> bool {
        let mut seen = false;
        self.sessions.for_each(|session| {
            seen |= *session.route() == Route::Aggregate && session.caller().may_use(member.name());
        });
        seen
    }

    fn read_anew(self: &Arc<Self>, member: &Arc<Member>, kinds: Vec<Kind>) {
        let (gateway, member) = (Arc::clone(self), Arc::clone(member));
        tokio::spawn(async move {
            for kind in kinds {
                let deadline = Instant::now() + gateway.table().settings().request_timeout;
                let earlier = member.catalogue().listing(kind);
                if let Err(error) = gateway.read_within(&member, kind, deadline).await {
                    tracing::warn!(backend = member.name(), %error, "The lists of a new or changed backend could not be read; the last good ones stay");
                    return;
                }
                let read = member.catalogue().listing(kind).unwrap_or_default();
                if earlier.is_some_and(|earlier| !earlier.is_same(&read)) {
                    gateway.tell_at_endpoint(&member, kind);
                }
            }
            gateway.subscribe_again(&member).await;
        });
    }

    /// Sessions at the backend's own endpoint hear of changes from the backend itself, but not of those that it does not
    /// know of: that another one was in its place.
    fn tell_at_endpoint(&self, member: &Member, kind: Kind) {
        let message = Message::notification(kind.notification(), None);
        self.tell(
            &message,
            |session| matches!(session.route(), Route::Backend(name) if **name == *member.name()),
        );
    }
}

impl Adopted {
    fn of(plan: &Plan) -> Self {
        let names = |members: &[Arc<Member>]| members.iter().map(|m| m.name().into()).collect();
        let mut adopted = Self {
            added: plan.added.iter().map(|new| new.name.clone()).collect(),
            changed: plan
                .changed
                .iter()
                .map(|(_, new)| new.name.clone())
                .collect(),
            removed: names(&plan.removed),
            renewed: plan
                .renewed
                .iter()
                .map(|(_, new)| new.name.clone())
                .collect(),
            unchanged: plan.unchanged.len(),
        };
        adopted.added.sort();
        adopted.changed.sort();
        adopted
    }
}

impl Concerned {
    fn includes(&self, session: &Session) -> bool {
        match self {
            Self::Everybody => true,
            Self::UsersOf(names) => names.iter().any(|name| session.caller().may_use(name)),
        }
    }
}
