//! What goes on while nobody asks: lists are read ahead, idle sessions end, backends are watched, health is written to the log.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{catalogue::Kind, facade::Gateway, member::Member};
use crate::lockfree::Snapshot;

/// How soon after a backend's restart its lists are read again.
const RESTART_CHECK: Duration = Duration::from_secs(5);

impl Gateway {
    /// Starts everything that goes on beside the requests; [`Gateway::shutdown`] ends it.
    pub fn supervise(self: &Arc<Self>) {
        for member in self.table().members() {
            self.watch_over(member);
        }
        self.watch.keep(&tokio::spawn(Arc::clone(self).warm_up()));
        self.watch.keep(&tokio::spawn(Arc::clone(self).reap()));
        let watching = Arc::clone(self).watch_objectives();
        self.watch.keep(&tokio::spawn(watching));
        if let Some(alarms) = self.alarms.get() {
            self.watch.keep(&tokio::spawn(alarms.run()));
        }
        self.watch
            .keep(&tokio::spawn(Arc::clone(self).watch_live()));
    }

    /// Starts what goes on beside the calls of one member; it ends when the member is taken out.
    pub(super) fn watch_over(self: &Arc<Self>, member: &Arc<Member>) {
        let (gateway, own) = (|| Arc::clone(self), || Arc::clone(member));
        let notices = member.backend().notices();
        let every = self.table().settings().health_log_interval;
        let tasks = [
            member.backend().supervise(),
            tokio::spawn(gateway().hear(own(), notices)),
            tokio::spawn(gateway().notice_restarts(own())),
            tokio::spawn(log_health_of(own(), every)),
        ];
        tasks.iter().for_each(|task| member.watch().keep(task));
    }

    async fn warm_up(self: Arc<Self>) {
        let table = self.snapshot();
        let names = &table.settings().meta_mcp.warm_start;
        let chosen = |member: &&Arc<Member>| {
            names
                .iter()
                .any(|name| name == "*" || name == member.name())
        };
        let members = table.members().iter().filter(chosen).cloned().collect();
        for missing in self
            .freshen_members(members, &Kind::ALL, self.fan_out_deadline())
            .await
        {
            tracing::warn!(
                backend = missing.server(),
                reason = missing.reason(),
                "Warm start: a backend is not ready"
            );
        }
    }

    /// A backend that was started again may offer other things than before, need not say so, and knows nothing of who has
    /// subscribed to what; one that is down is asked for what it listed until it answers.
    async fn notice_restarts(self: Arc<Self>, member: Arc<Member>) {
        let mut ticks = interval(RESTART_CHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let restarts = || member.backend().status().restarts;
        let mut earlier = restarts();
        loop {
            ticks.tick().await;
            self.tend_stale(&member);
            let now = restarts();
            if now != earlier && member.backend().status().running {
                earlier = now;
                let was_read = |kind: &Kind| member.catalogue().was_asked_for(*kind);
                self.read_again(&member, Kind::ALL.into_iter().filter(was_read));
                self.hear_again(&member).await;
            }
        }
    }

    async fn reap(self: Arc<Self>) {
        loop {
            sleep(self.sessions.reap_interval()).await;
            let now = self.clock.now();
            for ended in self.sessions.reap(now) {
                self.take_back(&ended);
            }
            self.lent.reap(now);
            self.parked.reap();
        }
    }
}

async fn log_health_of(member: Arc<Member>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut earlier = snapshot(&member);
    loop {
        ticks.tick().await;
        let now = snapshot(&member);
        log_health(&member, &now.since(&earlier));
        earlier = now;
    }
}

fn snapshot(member: &Arc<Member>) -> Snapshot {
    member.backend().failsafe().health_tracker.snapshot()
}

/// One line for a backend with traffic, times in milliseconds.
fn log_health(member: &Member, lately: &Snapshot) {
    let (success, failures) = (lately.successes().len(), lately.failures().len());
    if success + failures == 0 {
        return;
    }
    let quantile = |quantile| milliseconds(lately.successes().value_at_quantile(quantile));
    tracing::info!(
        backend = member.name(),
        healthy = member.backend().failsafe().health_tracker.is_healthy(),
        success,
        failures,
        p50 = quantile(0.50),
        p95 = quantile(0.95),
        p99 = quantile(0.99),
        "Health metrics"
    );
}

fn milliseconds(micros: u64) -> f64 {
    Duration::from_micros(micros).div_duration_f64(Duration::from_millis(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backend::{Backend, BackendSettings, StdioSettings, TransportSettings},
        telemetry::{Clock, transcript::transcript},
    };

    #[test]
    fn health_is_logged_where_there_was_traffic_and_only_there() {
        let transport = TransportSettings::Stdio(StdioSettings::new("x", &[]));
        let settings = BackendSettings::new("search", transport);
        let member = Arc::new(Member::new(Backend::new(settings, Clock::new())));
        let earlier = snapshot(&member);
        let tracker = &member.backend().failsafe().health_tracker;
        let lines = transcript(|| {
            log_health(&member, &snapshot(&member).since(&earlier));
            tracker.record_success(Duration::from_millis(2));
            tracker.record_failure();
            log_health(&member, &snapshot(&member).since(&earlier));
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        let (what, fields) = lines[0].split_once(" |").unwrap();
        assert_eq!(what, "INFO Health metrics");
        let names: Vec<_> = fields
            .split(' ')
            .filter_map(|field| field.split_once('='))
            .collect();
        let names: Vec<_> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
        let documented = format!("| `Health metrics` | INFO | {} |", names.join(" "));
        let page = include_str!("../../docs/logging.md");
        assert!(page.contains(&documented), "{documented}");
    }
}
