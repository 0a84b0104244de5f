//! What happens to a backend while nobody calls it: a ping into long silences, an end for an idle child, and the snapshots
//! from which the last seconds are told.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, timeout_at},
};

use super::{Backend, CallError, Speaker, transport::Delivery};
use crate::{
    failsafe::Verdict,
    protocol::Message,
    telemetry::{RequestId, Stamp, Trace},
};

/// How often a backend is looked at; also the resolution of its recent latencies.
const TICK: Duration = Duration::from_secs(5);
/// How long an idle child may take to end.
const STOP: Duration = Duration::from_secs(10);

impl Backend {
    /// Watches over the backend until the task is aborted.
    pub fn supervise(self: &Arc<Self>) -> JoinHandle<()> {
        let backend = Arc::clone(self);
        tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut last_ping = backend.clock().now();
            loop {
                ticks.tick().await;
                let now = backend.clock().now();
                backend.failsafe().health_tracker.tick(now);
                backend.tell_rest(now);
                backend.look_after(now, &mut last_ping).await;
            }
        })
    }

    async fn look_after(&self, now: Stamp, last_ping: &mut Stamp) {
        if !self.transport().is_running() || self.queue().in_flight() > 0 {
            return;
        }
        let silence = self.silent_for(now);
        if self
            .settings()
            .stop_when_idle_for
            .is_some_and(|limit| silence >= limit)
        {
            tracing::info!(
                backend = self.name(),
                "Backend stopped: nobody has called it"
            );
            self.transport().rest(Instant::now() + STOP).await;
            return;
        }
        let check = &self.settings().failsafe.health_check;
        if check.enabled && silence >= check.interval && now.since(*last_ping) >= check.interval {
            *last_ping = now;
            self.ping(check.timeout).await;
        }
    }

    /// Asks whether it is alive, past queue and breaker: what a probe learns must not open the circuit. An error is an
    /// answer: a backend that does not know `ping` is alive. An answer is recorded only where it is news.
    async fn ping(&self, limit: Duration) {
        let message = Message::request(b"0", "ping", None);
        let delivery = Delivery {
            message: &message,
            speaker: Speaker::GATEWAY,
            param_headers: &[],
            caller: "",
            request_id: RequestId::random(),
            trace: Trace::none(),
            carried: None,
            events: None,
            deadline: Instant::now() + limit,
            probe: false,
        };
        let asked = self.clock().now();
        let answer = timeout_at(delivery.deadline, self.transport().request(delivery)).await;
        let health = &self.failsafe().health_tracker;
        let error = match answer {
            Ok(Ok(_)) if health.is_healthy() => return,
            Ok(Ok(_)) => return health.record_success(self.clock().now().since(asked)),
            Ok(Err(error)) => error,
            Err(_) => CallError::TimedOut { after: limit },
        };
        if error.outcome().verdict() == Verdict::Failure {
            health.record_failure();
        }
        tracing::debug!(backend = self.name(), %error, "Backend did not answer a ping");
    }
}
