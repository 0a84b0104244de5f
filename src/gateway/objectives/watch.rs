//! What goes on beside the requests: totals are kept every ten seconds, and what changes is said.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval};

use super::{
    alarm::Alarm,
    burn::Rates,
    report::ObjectiveReport,
    series::Series,
    settings::Objectives,
    totals::{self, Totals},
};
use crate::{
    failsafe::Change,
    gateway::{facade::Gateway, member::Member, table::Table},
    telemetry::clock::milliseconds,
};

/// How often breakers are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After so many looks totals are kept.
const KEEP: u32 = 10;

/// One thing that a backend or a tool is held to.
pub(super) struct Objective {
    pub(super) backend: Box<str>,
    /// Empty for the whole backend.
    pub(super) tool: Box<str>,
    pub(super) slo: &'static str,
    /// The share of calls that should be good.
    pub(super) percent: f64,
    pub(super) threshold_ms: Option<f64>,
    totals: Totals,
}

/// Backend, tool and what it is about.
type Key = (Box<str>, Box<str>, &'static str);

/// What is remembered between two looks.
#[derive(Default)]
pub(in crate::gateway) struct Watched(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    objectives: BTreeMap<Key, Kept>,
    /// The last change of each breaker that was told, by backend and tool.
    told: BTreeMap<(Box<str>, Box<str>), Arc<Change>>,
}

#[derive(Default)]
struct Kept {
    series: Series,
    burning: bool,
}

impl Objective {
    fn key(&self) -> Key {
        (self.backend.clone(), self.tool.clone(), self.slo)
    }
}

impl Watched {
    /// Held while somebody looks; no request ever asks for it.
    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gateway {
    /// How the configured objectives stand now, by backend and tool.
    #[must_use]
    pub fn objectives(&self) -> Vec<ObjectiveReport> {
        let now_ms = self.clock.now().millis();
        let memory = self.watched.lock();
        let nothing = Series::default();
        let report = |objective: &Objective| {
            let kept = memory.objectives.get(&objective.key());
            let series = kept.map_or(&nothing, |kept| &kept.series);
            let rates = Rates::of(series, objective.percent, now_ms, objective.totals);
            ObjectiveReport::new(objective, &rates)
        };
        all(&self.table()).iter().map(report).collect()
    }

    /// Watches over objectives and breakers until the task is aborted.
    pub(in crate::gateway) async fn watch_objectives(self: Arc<Self>) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in (0..KEEP).cycle() {
            ticks.tick().await;
            if number == 0 {
                self.keep_totals();
            }
            if self.alarms.get().is_some() {
                self.tell_changes();
            }
        }
    }

    fn keep_totals(&self) {
        let now_ms = self.clock.now().millis();
        let objectives = all(&self.table());
        let mut memory = self.watched.lock();
        let keys: Vec<Key> = objectives.iter().map(Objective::key).collect();
        memory.objectives.retain(|key, _| keys.contains(key));
        for (key, objective) in keys.into_iter().zip(&objectives) {
            let kept = memory.objectives.entry(key).or_default();
            kept.series.push(now_ms, objective.totals);
            let rates = Rates::of(&kept.series, objective.percent, now_ms, objective.totals);
            if rates.alarming != kept.burning {
                kept.burning = rates.alarming;
                let report = ObjectiveReport::new(objective, &rates);
                log(&report);
                self.alarm(&Alarm::burn(&report, self.clock.epoch_ms(now_ms)));
            }
        }
    }

    /// Tells of each opening and closing since the last look.
    fn tell_changes(&self) {
        let table = self.table();
        let mut memory = self.watched.lock();
        let mut still = BTreeMap::new();
        for member in table.members() {
            let failsafe = member.backend().failsafe();
            let whole = (Box::default(), failsafe.circuit_breaker.changes());
            let tools = failsafe.tool_circuits().into_iter();
            let tools = tools.map(|(tool, breaker)| (tool, breaker.changes()));
            for (tool, changes) in [whole].into_iter().chain(tools) {
                let key = (Box::from(member.name()), tool);
                let known = memory.told.remove(&key);
                for change in news(&changes, known.as_ref()) {
                    let at_ms = self.clock.epoch_ms(change.at_ms);
                    let alarm = Alarm::circuit(&key.0, &key.1, change, at_ms);
                    alarm.iter().for_each(|alarm| self.alarm(alarm));
                }
                if let Some(last) = changes.last() {
                    still.insert(key, Arc::clone(last));
                }
            }
        }
        memory.told = still;
    }

    fn alarm(&self, alarm: &Alarm<'_>) {
        if let Some(alarms) = self.alarms.get() {
            alarms.put(alarm);
        }
    }
}

/// The changes after the one that is known; all if it is none of them.
fn news<'a>(changes: &'a [Arc<Change>], known: Option<&Arc<Change>>) -> &'a [Arc<Change>] {
    let is_known = |change: &Arc<Change>| known.is_some_and(|known| Arc::ptr_eq(known, change));
    let at = changes.iter().rposition(is_known);
    at.and_then(|at| changes.get(at + 1..)).unwrap_or(changes)
}

/// Every objective of the backends that are there, with the totals of now.
fn all(table: &Table) -> Vec<Objective> {
    let mut all = Vec::new();
    for (name, slo) in &table.settings().slos {
        let Some(member) = table.members().iter().find(|it| it.name() == &**name) else {
            continue;
        };
        let own = |is_latency: bool| match (is_latency, slo.whole.latency) {
            (true, Some(latency)) => totals::latency(member, &latency),
            _ => totals::availability(member),
        };
        add(&mut all, (member, ""), &slo.whole, own);
        for (tool, objectives) in &slo.tools {
            let entry = member.tool(tool);
            let of_tool = |is_latency: bool| match (&entry, is_latency, objectives.latency) {
                (None, ..) => Totals::default(),
                (Some(entry), true, Some(latency)) => totals::tool_latency(entry, &latency),
                (Some(entry), ..) => totals::tool_availability(entry),
            };
            add(&mut all, (member, tool), objectives, of_tool);
        }
    }
    all
}

/// Adds what one backend or tool is held to; `totals` counts by availability, or by latency.
fn add(
    all: &mut Vec<Objective>,
    (member, tool): (&Member, &str),
    objectives: &Objectives,
    totals: impl Fn(bool) -> Totals,
) {
    let mut add = |slo, percent, threshold_ms: Option<f64>| {
        all.push(Objective {
            backend: member.name().into(),
            tool: tool.into(),
            slo,
            percent,
            threshold_ms,
            totals: totals(threshold_ms.is_some()),
        });
    };
    if let Some(percent) = objectives.availability {
        add("availability", percent, None);
    }
    if let Some(latency) = objectives.latency {
        add(
            "latency",
            latency.objective,
            Some(milliseconds(latency.threshold)),
        );
    }
}

/// Both lines have the same fields, which `docs/logging.md` names.
fn log(report: &ObjectiveReport) {
    let ObjectiveReport {
        backend,
        tool,
        slo,
        objective,
        error_budget_remaining,
        ..
    } = report;
    let tool = (!tool.is_empty()).then_some(&**tool);
    let (backend, burn_1h) = (&**backend, report.burn_rates.get(2).map(|burn| burn.rate));
    if report.burning {
        tracing::warn!(
            backend,
            tool,
            slo,
            objective,
            burn_1h,
            error_budget_remaining,
            "Error budget burning"
        );
    } else {
        tracing::info!(
            backend,
            tool,
            slo,
            objective,
            burn_1h,
            error_budget_remaining,
            "Error budget no longer burning"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failsafe::Outcome, gateway::objectives::report::Burn, telemetry::transcript::transcript,
    };

    #[test]
    fn the_end_of_a_burn_is_said_as_documented() {
        let report = ObjectiveReport {
            backend: "search".into(),
            tool: "".into(),
            slo: "availability",
            objective: 99.0,
            threshold_ms: None,
            burning: false,
            error_budget_remaining: 0.5,
            burn_rates: vec![
                Burn {
                    window: "1h",
                    rate: 2.0
                };
                3
            ],
        };
        let lines = transcript(|| log(&report));
        assert_eq!(lines.len(), 1);
        let page = include_str!("../../../docs/logging.md");
        let (what, fields) = lines[0].split_once(" |").unwrap();
        assert_eq!(what, "INFO Error budget no longer burning");
        let names = fields.split(' ').filter_map(|field| field.split_once('='));
        let names: Vec<_> = names.map(|(name, _)| format!("`{name}`")).collect();
        let row = format!(
            "| `Error budget no longer burning` | INFO | {} |",
            names.join(" ")
        );
        assert!(page.contains(&row), "{row}");
    }

    #[test]
    fn only_changes_after_the_known_one_are_news() {
        let failsafe =
            crate::failsafe::Failsafe::new("a", &crate::failsafe::FailsafeConfig::default());
        let clock = crate::telemetry::Clock::new();
        for _ in 0..5 {
            let ticket = failsafe.admit(clock.now()).unwrap();
            ticket.settle(Outcome::Lost, &"gone", clock.now());
        }
        let first = failsafe.circuit_breaker.changes();
        assert_eq!(news(&first, None).len(), 1);
        assert_eq!(news(&first, first.last()).len(), 0);
        failsafe.reset();
        let second = failsafe.circuit_breaker.changes();
        assert_eq!(news(&second, first.last()).len(), second.len() - 1);
    }
}
