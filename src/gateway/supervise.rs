//! What goes on while nobody asks: lists are read ahead, idle sessions end, backends are watched, health is written to the log.

use std::{sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::{catalogue::Kind, facade::Gateway, member::Member};
use crate::lockfree::Snapshot;

/// How soon after a backend's restart its lists are read again.
const RESTART_CHECK: Duration = Duration::from_secs(5);

impl Gateway {
    /// Starts everything that goes on beside the requests; [`Gateway::shutdown`] ends it.
    pub fn supervise(self: &Arc<Self>) {
        for member in self.table().members() {
            self.watch.keep(&member.backend().supervise());
            let notices = member.backend().notices();
            let hearing = Arc::clone(self).hear(Arc::clone(member), notices);
            self.watch.keep(&tokio::spawn(hearing));
        }
        self.watch.keep(&tokio::spawn(Arc::clone(self).warm_up()));
        self.watch
            .keep(&tokio::spawn(Arc::clone(self).notice_restarts()));
        self.watch.keep(&tokio::spawn(Arc::clone(self).reap()));
        self.watch
            .keep(&tokio::spawn(Arc::clone(self).log_health()));
    }

    async fn warm_up(self: Arc<Self>) {
        let names = &self.settings.meta_mcp.warm_start;
        let chosen = |member: &&Arc<Member>| {
            names
                .iter()
                .any(|name| name == "*" || name == member.name())
        };
        let members = self
            .table()
            .members()
            .iter()
            .filter(chosen)
            .cloned()
            .collect();
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

    /// A backend that was started again may offer other things than before, and need not say so.
    async fn notice_restarts(self: Arc<Self>) {
        let mut ticks = interval(RESTART_CHECK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let restarts = |member: &Arc<Member>| member.backend().status().restarts;
        let mut earlier: Vec<u64> = self.table().members().iter().map(restarts).collect();
        loop {
            ticks.tick().await;
            for (member, earlier) in self.table().members().iter().zip(&mut earlier) {
                let now = restarts(member);
                if now != *earlier && member.backend().status().running {
                    *earlier = now;
                    let was_read = |kind: &Kind| member.catalogue().listing(*kind).is_some();
                    self.read_again(member, Kind::ALL.into_iter().filter(was_read));
                }
            }
        }
    }

    async fn reap(self: Arc<Self>) {
        let mut ticks = interval(self.sessions.reap_interval());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.clock.now();
            self.sessions.reap(now);
            self.lent.reap(now);
            self.parked.reap();
        }
    }

    async fn log_health(self: Arc<Self>) {
        let mut ticks = interval(self.settings.health_log_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut earlier: Vec<Snapshot> = self.table().members().iter().map(snapshot).collect();
        loop {
            ticks.tick().await;
            for (member, earlier) in self.table().members().iter().zip(&mut earlier) {
                let now = snapshot(member);
                log_health(member, &now.since(earlier));
                *earlier = now;
            }
        }
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
