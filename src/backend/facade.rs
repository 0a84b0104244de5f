//! One configured server, as everything above sees it.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{
    sync::broadcast,
    time::{Instant, timeout, timeout_at},
};
use tracing::Instrument;

use super::{
    Answer, BackendSettings, BackendStatus, Call, CallError, Client, EventReceiver, Line, NoLine,
    Provider, ServerInfo,
    call::outcome,
    lines::Lines,
    told::Told,
    transport::{Outlet, Transport},
};
use crate::{
    failsafe::{Failsafe, Outcome, Queue},
    lockfree::{Latest, Recorder},
    protocol::{Era, Message},
    telemetry::{Clock, Exemplars, Stamp, clock::milliseconds},
};

/// Notices kept for a listener that is slow; it is told how many it has missed.
const NOTICES: usize = 256;

/// One configured server: its queue, its failsafe and its transport. Cheap to share, never locked by a call.
pub struct Backend {
    settings: Arc<BackendSettings>,
    clock: Clock,
    failsafe: Failsafe,
    queue: Queue,
    queue_wait: Recorder,
    exemplars: Exemplars,
    told: Told,
    transport: Transport,
    notices: broadcast::Sender<Message>,
    lines: Lines,
    /// 1 while an operator has stopped it.
    stopped: Latest,
    /// When it was last called, in milliseconds of the clock.
    last_called: Latest,
}

impl Backend {
    /// A backend that nobody has called yet: no child runs, no connection is open.
    #[must_use]
    pub fn new(settings: BackendSettings, clock: Clock) -> Arc<Self> {
        let settings = Arc::new(settings);
        let mut policy = settings.failsafe.clone();
        // A probe may take as long as any call.
        let lease = &mut policy.circuit_breaker.probe_lease;
        *lease = settings.timeout.max(*lease);
        let (notices, _) = broadcast::channel(NOTICES);
        Arc::new(Self {
            failsafe: Failsafe::with_clock(&settings.name, &policy, clock.clone()),
            queue: Queue::new(settings.max_concurrency, settings.max_queue),
            queue_wait: Recorder::new(),
            exemplars: Exemplars::default(),
            told: Told::new(),
            transport: Transport::new(&settings, Outlet::Everybody(notices.clone())),
            notices,
            lines: Lines::default(),
            stopped: Latest::new(0),
            last_called: Latest::new(0),
            settings,
            clock,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What it was made from.
    #[must_use]
    pub fn settings(&self) -> &BackendSettings {
        &self.settings
    }

    /// Sends a request and waits for its answer: through the queue, the rate limit and the breaker, and again where that is
    /// safe. Dropping the future cancels the call at the backend and counts neither way.
    ///
    /// # Errors
    /// Each way a call can have no answer; a JSON-RPC error is an answer.
    pub async fn request(&self, call: &Call<'_>) -> Result<Answer, CallError> {
        let now_ms = call.started.millis();
        // Several threads call at once: what one of them has just said need not be said again.
        if self.last_called.value() != now_ms {
            self.last_called.set(now_ms);
        }
        let method = call.message.method().unwrap_or_default();
        let span = tracing::debug_span!("backend_request", backend = self.name(), method, request_id = %call.request_id);
        let answer = self.go(call).instrument(span.clone()).await;
        span.in_scope(|| self.report(call, method, &answer));
        answer
    }

    fn report(&self, call: &Call<'_>, method: &str, answer: &Result<Answer, CallError>) {
        let (backend, request_id) = (self.name(), call.request_id);
        match answer {
            Ok(answer) => {
                let latency_ms = milliseconds(answer.waited);
                match outcome(&answer.message) {
                    Outcome::Success | Outcome::ToolError => {
                        tracing::info!(backend, method, %request_id, latency_ms, "Request completed successfully");
                    }
                    outcome => {
                        let error = self
                            .settings
                            .excerpt(&answer.message.error_message().unwrap_or_default());
                        self.tell(call, (outcome, &error), latency_ms, answer.ended);
                    }
                }
            }
            // Refusals while open are counted and summed up by the breaker.
            Err(CallError::CircuitOpen { .. }) => {}
            Err(error) => {
                let now = self.clock.now();
                let latency_ms = milliseconds(now.since(call.started));
                self.tell(call, (error.outcome(), error), latency_ms, now);
            }
        }
    }

    /// A failed call. Of many that come to the same the first are warned of, and the others are for whoever looks closely.
    fn tell(
        &self,
        call: &Call<'_>,
        (outcome, error): (Outcome, &dyn fmt::Display),
        latency_ms: f64,
        now: Stamp,
    ) {
        let (backend, request_id) = (self.name(), call.request_id);
        let method = call.message.method().unwrap_or_default();
        let is_said = self.told.is_said(backend, outcome, now.millis());
        let outcome = outcome.label();
        if is_said {
            tracing::warn!(backend, method, %request_id, latency_ms, %error, outcome, "Request failed");
        } else {
            tracing::debug!(backend, method, %request_id, latency_ms, %error, outcome, "Request failed");
        }
    }

    /// Tells of failed calls that were not warned of one by one.
    pub(super) fn tell_rest(&self, now: Stamp) {
        self.told.tell_rest(self.name(), now.millis());
    }

    /// Sends a notification, past queue and breaker: nothing is waited for.
    ///
    /// # Errors
    /// If the backend cannot be reached until `deadline`, or is stopped.
    pub async fn notify(&self, message: Message, deadline: Instant) -> Result<(), CallError> {
        if self.is_stopped() {
            return Err(CallError::Stopped);
        }
        self.within(deadline, self.transport.notify(&message)).await
    }

    /// What it said of itself when its session was opened; opens one if need be.
    ///
    /// # Errors
    /// If it cannot be reached until `deadline` or within its timeout, or is stopped. A start under way goes on.
    pub async fn server_info(&self, deadline: Instant) -> Result<Arc<ServerInfo>, CallError> {
        if self.is_stopped() {
            return Err(CallError::Stopped);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = left.min(self.settings.timeout);
        timeout(patience, self.transport.info())
            .await
            .unwrap_or_else(|_| {
                Err(CallError::unreachable(format!(
                    "it has not opened a session within {patience:.1?}"
                )))
            })
    }

    /// Whether it is one of older revisions; connects to it if need be.
    ///
    /// # Errors
    /// As [`Backend::server_info`].
    pub async fn era(&self, deadline: Instant) -> Result<Era, CallError> {
        Ok(self.server_info(deadline).await?.era)
    }

    /// What it says of itself to modern clients, if it is one that speaks to them; asks it if need be.
    ///
    /// # Errors
    /// If it cannot be reached until `deadline`, or is stopped.
    pub async fn modern_info(
        &self,
        deadline: Instant,
    ) -> Result<Option<Arc<ServerInfo>>, CallError> {
        if self.is_stopped() {
            return Err(CallError::Stopped);
        }
        self.within(deadline, self.transport.modern_info(deadline))
            .await
    }

    /// Whether it is known as one that wants some arguments of its tools in headers too.
    #[must_use]
    pub fn reads_headers(&self) -> bool {
        self.transport.reads_headers()
    }

    /// Whether everything that it says comes on one stream, as far as is known: then what it asks names no call.
    #[must_use]
    pub fn is_piped(&self) -> bool {
        self.transport.is_piped()
    }

    /// Has a modern backend tell of changes of this resource; waits for its answer, up to five seconds. False if it refuses.
    pub async fn watch(&self, uri: &str) -> bool {
        self.transport.watch(uri).await
    }

    /// Ends what [`Backend::watch`] began.
    pub fn unwatch(&self, uri: &str) {
        self.transport.unwatch(uri);
    }

    /// A way to it that belongs to one client of `caller`, and what it says there outside of every call; no caller is named
    /// where all clients are one. Nothing is opened yet; what is opened ends when the line is dropped, or with the backend.
    ///
    /// # Errors
    /// If there are as many as may be, or as many of this caller.
    pub fn line(
        &self,
        client: Arc<Client>,
        caller: Option<&str>,
    ) -> Result<(Arc<Line>, EventReceiver), NoLine> {
        self.lines.open(&self.settings, client, caller)
    }

    /// What it sends that belongs to no call: changed lists, log lines.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Message> {
        self.notices.subscribe()
    }

    /// Its policy, with everything that was counted.
    #[must_use]
    pub const fn failsafe(&self) -> &Failsafe {
        &self.failsafe
    }

    /// How long calls waited for a place, for those that had to wait.
    #[must_use]
    pub const fn queue_wait(&self) -> &Recorder {
        &self.queue_wait
    }

    /// Calls that can be looked at whole, by how long they took.
    #[must_use]
    pub const fn exemplars(&self) -> &Exemplars {
        &self.exemplars
    }

    /// Its state at this moment.
    #[must_use]
    pub fn status(&self) -> BackendStatus {
        let glance = self.glance();
        BackendStatus {
            name: self.settings.name.clone(),
            description: self.settings.description.clone(),
            transport: self.transport_name(),
            status: glance.status,
            running: glance.running,
            circuit_state: glance.circuit_state,
            circuit_mode: glance.circuit_mode,
            open_tools: self.open_tools(),
            healthy: glance.healthy,
            restarts: glance.restarts,
            in_flight: glance.in_flight,
            queued: glance.queued,
            permanent: glance.permanent,
            left_out: self.left_out(),
            last_error: glance.last_error,
            health_metrics: self.failsafe.health_metrics(),
            last_10s: self.failsafe.health_tracker.recent(Duration::from_secs(10)),
            last_60s: self.failsafe.health_tracker.recent(Duration::from_secs(60)),
        }
    }

    /// What was written for it and is not served, each with the reason.
    #[must_use]
    pub fn left_out(&self) -> Vec<Box<str>> {
        let provider = self.settings.provider();
        provider.map(Provider::left_out).unwrap_or_default()
    }

    /// Whether it can be what these settings ask for by other tools alone, and go on with everything that was counted.
    #[must_use]
    pub fn can_become(&self, wanted: &BackendSettings) -> bool {
        let (Some(now), Some(other)) = (self.settings.provider(), wanted.provider()) else {
            return false;
        };
        let as_now = BackendSettings {
            transport: self.settings.transport.clone(),
            ..wanted.clone()
        };
        as_now == *self.settings && now.can_become(other)
    }

    /// Takes the tools of these settings in the place of its own, and tells of it.
    pub fn become_other(&self, wanted: &BackendSettings) {
        if let (Some(now), Some(other)) = (self.settings.provider(), wanted.provider()) {
            now.become_other(other);
            let changed = Message::notification("notifications/tools/list_changed", None);
            let _ = self.notices.send(changed);
        }
    }

    /// Stops it until [`Backend::revive`]: its child or session is ended, and further calls are refused. Calls at a child
    /// fail; those at an HTTP endpoint may still be answered.
    pub async fn kill(&self, deadline: Instant) {
        self.stopped.set(1);
        tokio::join!(self.transport.stop(deadline), self.lines.stop(deadline));
    }

    /// Lets calls through again with a fresh breaker and no back-off, and connects.
    ///
    /// # Errors
    /// If it cannot be reached until `deadline`; calls are let through all the same.
    pub async fn revive(&self, deadline: Instant) -> Result<Arc<ServerInfo>, CallError> {
        self.stopped.set(0);
        self.transport.forgive();
        self.failsafe.reset();
        self.server_info(deadline).await
    }

    /// Ends its child or session; returns when that is done or at `deadline`.
    pub async fn shutdown(&self, deadline: Instant) {
        self.kill(deadline).await;
    }

    /// Whether an operator has stopped it.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.value() != 0
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Its places for calls, and who waits for one.
    #[must_use]
    pub const fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(super) const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// How long nobody has called it, at `now`.
    pub(super) fn silent_for(&self, now: Stamp) -> Duration {
        Duration::from_millis(now.millis().saturating_sub(self.last_called.value()))
    }

    async fn within<T>(
        &self,
        deadline: Instant,
        wait: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        let since = self.clock.now();
        let timed_out = |_| {
            Err(CallError::TimedOut {
                after: self.clock.now().since(since),
            })
        };
        timeout_at(deadline, wait).await.unwrap_or_else(timed_out)
    }
}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
