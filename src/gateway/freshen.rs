//! Brings lists up to date: each list is read once at a time however many wait for it, side by side with the others,
//! and nobody waits longer than their own deadline.

use std::sync::Arc;

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::{
    catalogue::{Entry, Freshness, Kind, Reader},
    facade::Gateway,
    inbound::Caller,
    member::Member,
    request::Request,
};
use crate::{backend::CallError, failsafe::CircuitState};

/// A backend that is not in an answer, or only with what it said earlier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Missing {
    server: Box<str>,
    reason: String,
    /// Whether its last good list is in the answer.
    stale: bool,
}

impl Missing {
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    pub(super) fn reason(&self) -> &str {
        &self.reason
    }
}

impl Gateway {
    /// Brings up to date what a list shows: a backend that was listed or failed to answer before is hardly waited for.
    pub(super) async fn freshen_list(
        self: &Arc<Self>,
        kinds: &[Kind],
        caller: &Caller,
    ) -> Vec<Missing> {
        let members = self.table().members_for(caller).cloned().collect();
        self.freshen_shown(members, kinds).await
    }

    /// The same for these backends alone.
    pub(super) async fn freshen_shown(
        self: &Arc<Self>,
        members: Vec<Arc<Member>>,
        kinds: &[Kind],
    ) -> Vec<Missing> {
        let unknown = self.fan_out_deadline();
        // Who does not want lists to be kept wants them as they are now.
        let is_kept = !self.table().settings().meta_mcp.cache_ttl.is_zero();
        let known = if is_kept {
            unknown.min(Instant::now() + GLANCE)
        } else {
            unknown
        };
        for member in &members {
            self.doubt_broken(member, kinds);
        }
        self.freshen_until(members, kinds, |member, kind| {
            if member.catalogue().was_asked_for(kind) {
                known
            } else {
                unknown
            }
        })
        .await
    }

    /// What a backend with an open circuit listed is asked for again, however new it is.
    fn doubt_broken(&self, member: &Member, kinds: &[Kind]) {
        if member.backend().failsafe().circuit_breaker.state() == CircuitState::Open {
            for kind in kinds {
                let is_new = self.freshness(member, *kind) == Freshness::Fresh;
                if is_new {
                    member.catalogue().mark_due(*kind);
                }
            }
        }
    }

    /// Reads what is due of all backends that the caller may use, and names those that did not answer in time.
    pub(super) async fn freshen(self: &Arc<Self>, kinds: &[Kind], caller: &Caller) -> Vec<Missing> {
        let members = self.table().members_for(caller).cloned().collect();
        self.freshen_members(members, kinds, self.fan_out_deadline())
            .await
    }

    /// When a fan-out that begins now answers with what it has.
    pub(super) fn fan_out_deadline(&self) -> Instant {
        Instant::now() + self.table().settings().fan_out_timeout
    }

    /// The same for these backends alone, until `deadline`.
    pub(super) async fn freshen_members(
        self: &Arc<Self>,
        members: Vec<Arc<Member>>,
        kinds: &[Kind],
        deadline: Instant,
    ) -> Vec<Missing> {
        self.freshen_until(members, kinds, |_, _| deadline).await
    }

    async fn freshen_until(
        self: &Arc<Self>,
        members: Vec<Arc<Member>>,
        kinds: &[Kind],
        deadline: impl Fn(&Member, Kind) -> Instant,
    ) -> Vec<Missing> {
        let asked = members
            .into_iter()
            .flat_map(|member| kinds.iter().map(move |kind| (Arc::clone(&member), *kind)));
        let readings: Vec<_> = asked
            .filter(|(member, kind)| self.freshness(member, *kind) != Freshness::Fresh)
            .map(|(member, kind)| {
                let until = deadline(&member, kind);
                let reading = Arc::clone(self).up_to_date(Arc::clone(&member), kind);
                (member, kind, until, tokio::spawn(reading))
            })
            .collect();
        let mut missing = Vec::new();
        for (member, kind, until, reading) in readings {
            let reason = match timeout_at(until, reading).await {
                Ok(Ok(Ok(()))) => continue,
                Ok(Ok(Err(error))) => error.to_string(),
                Ok(Err(_)) | Err(_) => "it has not answered in time".to_owned(),
            };
            let now = self.clock.now();
            member.catalogue().doubt(kind, now, &reason);
            missing.push(Missing {
                server: member.name().into(),
                reason,
                stale: member.catalogue().listing(kind).is_some(),
            });
        }
        missing.dedup_by(|later, earlier| later.server == earlier.server);
        missing
    }

    /// A backend's tool by its name. Its list is read if that was never done, and once more if the tool is not on it;
    /// but not while the circuit is not closed, because the few calls that are let through then are the callers'.
    pub(super) async fn look_up_tool(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
        name: &str,
        deadline: Instant,
    ) -> Result<Option<Arc<Entry>>, CallError> {
        let known = member.tool(name);
        let circuit = member.backend().failsafe().circuit_breaker.state();
        if known.is_some() || circuit != CircuitState::Closed {
            return Ok(known);
        }
        let now = self.clock.now();
        let ttl = self.table().settings().meta_mcp.cache_ttl.min(RECHECK);
        if member.catalogue().freshness(Kind::Tools, now, ttl) == Freshness::Due {
            let read = self.read_within(member, Kind::Tools, deadline).await;
            request.spent.add_backend(self.clock.now().since(now));
            read?;
        }
        Ok(member.tool(name))
    }

    /// Reads one list now, unless somebody is reading it already: then waits for that.
    pub(super) async fn read_within(
        self: &Arc<Self>,
        member: &Arc<Member>,
        kind: Kind,
        deadline: Instant,
    ) -> Result<(), CallError> {
        let since = self.clock.now();
        let reading = tokio::spawn(Arc::clone(self).read(Arc::clone(member), kind));
        match timeout_at(deadline, reading).await {
            Ok(Ok(read)) => read,
            Ok(Err(_)) => Err(CallError::Stopped),
            Err(_) => Err(CallError::TimedOut {
                after: self.clock.now().since(since),
            }),
        }
    }

    fn freshness(&self, member: &Member, kind: Kind) -> Freshness {
        let ttl = self.table().settings().meta_mcp.cache_ttl;
        member.catalogue().freshness(kind, self.clock.now(), ttl)
    }

    /// What goes on for lists that nobody answers for: they leave after their grace, and are asked for again until then
    /// and after, so that they come back without anybody asking.
    pub(super) fn tend_stale(self: &Arc<Self>, member: &Arc<Member>) {
        let grace = self.table().settings().meta_mcp.stale_grace;
        for kind in Kind::ALL {
            if member.catalogue().stale(kind).is_none() {
                continue;
            }
            if member.catalogue().expire(kind, self.clock.now(), grace) {
                tracing::warn!(
                    backend = member.name(),
                    list = kind.member(),
                    "The backend has not answered for longer than meta_mcp.stale_grace; what it listed is not shown until it does"
                );
                self.list_changed(member, kind);
            }
            let nobody_reads = member.catalogue().try_begin(kind).is_some();
            if nobody_reads && self.freshness(member, kind) == Freshness::Due {
                tokio::spawn(Arc::clone(self).up_to_date(Arc::clone(member), kind));
            }
        }
    }

    async fn up_to_date(self: Arc<Self>, member: Arc<Member>, kind: Kind) -> Result<(), CallError> {
        if self.freshness(&member, kind) == Freshness::Due {
            Arc::clone(&self).read(Arc::clone(&member), kind).await?;
        }
        match self.freshness(&member, kind) {
            Freshness::Failed => member.catalogue().failure(kind).map_or(Ok(()), Err),
            Freshness::Fresh | Freshness::Due => Ok(()),
        }
    }

    /// Runs in a task of its own, so that a caller who leaves does not stop what others wait for.
    async fn read(self: Arc<Self>, member: Arc<Member>, kind: Kind) -> Result<(), CallError> {
        let Some(_reading) = member.catalogue().try_begin(kind) else {
            member.catalogue().reading_is_over(kind).await;
            return Ok(());
        };
        let reader = Reader {
            clock: self.clock.clone(),
            deadline: Instant::now() + self.table().settings().request_timeout,
        };
        if member.catalogue().read(&member, kind, &reader).await? {
            self.list_changed(&member, kind);
        }
        Ok(())
    }
}

/// How long a list waits for a backend of which something can be shown already, or that did not answer before.
const GLANCE: std::time::Duration = std::time::Duration::from_millis(100);
/// A name that is not on a list older than this is worth a second look at the backend.
const RECHECK: std::time::Duration = std::time::Duration::from_secs(1);
