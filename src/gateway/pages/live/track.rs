//! What is remembered of one backend between two looks, and what is new of it at the next.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    bins::Bins,
    column::{Columns, Counts},
    look::{Look, is_news},
    tools::Tools,
};
use crate::{
    failsafe::{Change, CircuitMode, CircuitState, HealthTracker},
    gateway::{ObjectiveReport, member::Member},
    lockfree::Snapshot,
    telemetry::{Clock, Stamp},
};

const MINUTE: Duration = Duration::from_secs(60);
/// Calls in the last minute from which on its median is what is usual.
const USUAL_OF: u64 = 20;

/// One backend.
pub(super) struct Track {
    member: Arc<Member>,
    columns: Columns,
    tools: Tools,
    counts: Counts,
    heat: Bins,
    looked_ms: Option<u64>,
    /// p50, p95 and p99 of the last minute's successes.
    latency_us: Option<[u64; 3]>,
    /// How many there were.
    lately: u64,
    changes: Arc<Vec<Arc<Change>>>,
    objectives: Vec<ObjectiveReport>,
    /// How it was when it was last told, as JSON.
    told: String,
}

/// How a backend is.
#[derive(Serialize)]
struct Now<'a> {
    status: &'static str,
    running: bool,
    circuit: CircuitState,
    mode: CircuitMode,
    healthy: bool,
    restarts: u64,
    in_flight: usize,
    queued: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    open_tools: Vec<Box<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Box<str>>,
    /// p50, p95 and p99 of the last minute.
    latency_us: Option<[u64; 3]>,
    /// What it and its tools are held to, and how that stands.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    objectives: &'a [ObjectiveReport],
}

/// What is new of a backend.
#[derive(Serialize)]
struct News<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<[u64; 4]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    heat: Vec<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ToldChange>,
}

/// All of it.
#[derive(Serialize)]
struct Whole<'a> {
    name: &'a str,
    transport: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    now: Option<&'a RawValue>,
    columns: &'a Columns,
    changes: Vec<ToldChange>,
}

#[derive(Serialize)]
struct ToldChange {
    at: u64,
    to: CircuitState,
    cause: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl Track {
    pub(super) fn new(member: &Arc<Member>) -> Self {
        Self {
            member: Arc::clone(member),
            columns: Columns::default(),
            tools: Tools::default(),
            counts: Counts::default(),
            heat: Bins::NONE,
            looked_ms: None,
            latency_us: None,
            lately: 0,
            changes: Arc::default(),
            objectives: Vec::new(),
            told: String::new(),
        }
    }

    /// The track of a member that has taken the place of this one's: its past is kept, its numbers begin anew.
    pub(super) fn succeeded_by(self, member: &Arc<Member>) -> Self {
        if Arc::ptr_eq(&self.member, member) {
            return self;
        }
        Self {
            columns: self.columns,
            ..Self::new(member)
        }
    }

    /// What it is held to is told anew.
    pub(super) fn begin_objectives(&mut self) {
        self.objectives.clear();
    }

    pub(super) fn add_objective(&mut self, objective: ObjectiveReport) {
        self.objectives.push(objective);
    }

    pub(super) const fn member(&self) -> &Arc<Member> {
        &self.member
    }

    /// Its tools as of now, as JSON.
    pub(super) fn tools_now(&mut self, look: Look) -> String {
        self.tools.look(&self.member, look);
        self.tools.json()
    }

    /// The median of the last minute, where there were enough calls to say what is usual.
    pub(super) fn usual_us(&self) -> Option<u64> {
        let [median, ..] = self.latency_us?;
        (self.lately >= USUAL_OF).then_some(median)
    }

    /// Whether calls ended since the last look; then the look takes what became of them, and what is new as JSON.
    pub(super) fn look(&mut self, look: Look, clock: &Clock) -> (bool, Option<String>) {
        let member = Arc::clone(&self.member);
        let totals = Counts::of(member.outcomes());
        let counts = totals.since(&self.counts);
        self.counts = totals;
        let heat = self.measure(look);
        let now = self.now();
        let queue = (now.in_flight, now.queued);
        let now = serde_json::to_string(&now).unwrap_or_default();
        self.keep(look, &counts, &heat, queue);
        if look.is_thorough {
            self.tools.look(&member, look);
        }
        let changes = self.changed(clock);
        let differs = now != self.told;
        self.told = now;
        let moved = counts.total() > 0 || heat != Bins::NONE;
        let news = News {
            name: member.name(),
            now: differs.then(|| raw(&self.told)).flatten(),
            counts: (counts.total() > 0).then(|| counts.row()),
            heat: heat.flat(),
            changes,
        };
        let is_new = differs || moved || !news.changes.is_empty();
        let news = is_new.then(|| serde_json::to_string(&news).unwrap_or_default());
        (moved, news)
    }

    /// The latencies since the last look. Where nothing was recorded, only the last minute has moved on.
    fn measure(&mut self, look: Look) -> Bins {
        let member = Arc::clone(&self.member);
        let tracker = &member.backend().failsafe().health_tracker;
        let is_new = is_news(tracker.last_recorded_ms(), self.looked_ms);
        let has_moved_on = look.is_thorough && self.latency_us.is_some();
        if !(is_new || has_moved_on) {
            return Bins::NONE;
        }
        let everything = tracker.snapshot();
        self.looked_ms = Some(look.now_ms);
        (self.lately, self.latency_us) = last_minute(tracker, &everything, look);
        let bins = Bins::of(&everything);
        let heat = bins.since(&self.heat);
        self.heat = bins;
        heat
    }

    fn keep(&mut self, look: Look, counts: &Counts, heat: &Bins, queue: (usize, usize)) {
        self.columns.forget(look.column());
        let is_idle = counts.total() == 0 && queue == (0, 0);
        if is_idle && *heat == Bins::NONE && self.latency_us.is_none() {
            return;
        }
        if let Some(column) = self.columns.at(look.column()) {
            column.counts.add(counts);
            column.heat.add(heat);
            column.latency_us = self.latency_us;
            (column.in_flight, column.queued) = queue;
        }
    }

    fn now(&self) -> Now<'_> {
        let backend = self.member.backend();
        let glance = backend.glance();
        Now {
            status: glance.status,
            running: glance.running,
            circuit: glance.circuit_state,
            mode: glance.circuit_mode,
            healthy: glance.healthy,
            restarts: glance.restarts,
            in_flight: glance.in_flight,
            queued: glance.queued,
            open_tools: backend.open_tools(),
            error: glance.permanent.or(glance.last_error),
            latency_us: self.latency_us,
            objectives: &self.objectives,
        }
    }

    /// The changes of its circuit since the last look.
    fn changed(&mut self, clock: &Clock) -> Vec<ToldChange> {
        let all = self.member.backend().failsafe().circuit_breaker.changes();
        let known = std::mem::replace(&mut self.changes, Arc::clone(&all));
        if Arc::ptr_eq(&all, &known) {
            return Vec::new();
        }
        let is_new = |change: &&Arc<Change>| !known.iter().any(|known| Arc::ptr_eq(known, change));
        all.iter()
            .filter(is_new)
            .map(|change| told(change, clock))
            .collect()
    }

    /// Everything that is known of it, as JSON.
    pub(super) fn whole(&self, clock: &Clock) -> String {
        let settings = self.member.backend().settings();
        let whole = Whole {
            name: self.member.name(),
            transport: self.member.backend().transport_name(),
            description: settings.description.as_deref(),
            now: raw(&self.told),
            columns: &self.columns,
            changes: self.changes.iter().map(|it| told(it, clock)).collect(),
        };
        serde_json::to_string(&whole).unwrap_or_default()
    }
}

/// How many succeeded in the last minute, and p50, p95 and p99 of them.
fn last_minute(
    tracker: &HealthTracker,
    everything: &Snapshot,
    look: Look,
) -> (u64, Option<[u64; 3]>) {
    let now = Stamp::from_nanos(look.now_ms.saturating_mul(1_000_000));
    let lately = tracker.within(MINUTE, now, everything);
    let latencies = lately.successes();
    let quantile = |quantile| latencies.value_at_quantile(quantile);
    let quantiles = (!latencies.is_empty()).then(|| [0.5, 0.95, 0.99].map(quantile));
    (latencies.len(), quantiles)
}

fn raw(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

fn told(change: &Arc<Change>, clock: &Clock) -> ToldChange {
    ToldChange {
        at: clock.epoch_ms(change.at_ms),
        to: change.to,
        cause: change.cause.label(),
        after: (change.trail.failures > 0).then(|| change.trail.to_string()),
        request_id: change.request_id.map(|id| id.to_string()),
    }
}
