//! The child that calls share: there is one, it is being started by one caller for all, or there is none.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::Instrument;

use super::{
    child::Child,
    other_end::OtherEnd,
    process::{Pipes, Process},
    program,
    pump::{Ended, Pump},
    restart::Restart,
    subscription,
};
use crate::{
    backend::{
        BackendSettings, CallError, StdioSettings,
        transport::{
            Delivery, Outlet, ServerInfo, bound::Bound, gate::Gate, watched::Watched, wire,
        },
    },
    failsafe::retry::draw,
    lockfree::Counter,
    protocol::{Era, MODERN, Message},
};

/// How long a child may take from its start to its answer to `initialize`: `npx` may have to install it first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A backend behind a child process.
#[derive(Clone, Debug)]
pub(in crate::backend) struct StdioTransport(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    backend: Arc<BackendSettings>,
    stdio: StdioSettings,
    outlet: Outlet,
    bound: Arc<Bound>,
    watched: Watched,
    running: ArcSwapOption<Running>,
    gate: Gate,
    /// Held by the task that starts a child, for all who wait for it.
    starting: Arc<tokio::sync::Mutex<()>>,
    /// Touched when a child starts or dies, never by a call to a running one.
    restart: Mutex<Restart>,
    starts: Counter,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// A child of both eras is a legacy one: it stays with the one in which it was opened.
    info: Arc<ServerInfo>,
}

impl StdioTransport {
    pub(in crate::backend) fn new(
        backend: Arc<BackendSettings>,
        stdio: StdioSettings,
        outlet: Outlet,
    ) -> Self {
        Self(Arc::new(Shared {
            bound: Arc::new(Bound::of(&backend)),
            backend,
            stdio,
            outlet,
            watched: Watched::default(),
            running: ArcSwapOption::empty(),
            gate: Gate::default(),
            starting: Arc::default(),
            restart: Mutex::default(),
            starts: Counter::new(),
        }))
    }

    pub(in crate::backend) async fn request(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<Message, CallError> {
        let answer = self.try_request(delivery).await;
        if matches!(answer, Err(CallError::Stopped)) {
            // Its child was ended for idleness just as the call came; a gate that is shut says the same again.
            return self.try_request(delivery).await;
        }
        answer
    }

    /// Starts the child if need be.
    pub(in crate::backend) async fn connect(
        &self,
        delivery: Delivery<'_>,
    ) -> Result<(), CallError> {
        self.child_for(delivery).await.map(drop)
    }

    async fn child_for(&self, delivery: Delivery<'_>) -> Result<Arc<Running>, CallError> {
        match self.0.alive() {
            Some(running) => Ok(running),
            None => timeout_at(delivery.deadline, self.0.running(delivery.probe))
                .await
                .unwrap_or_else(|_| {
                    Err(CallError::unreachable("its process is still being started"))
                }),
        }
    }

    async fn try_request(&self, delivery: Delivery<'_>) -> Result<Message, CallError> {
        let running = self.child_for(delivery).await?;
        let message = delivery.in_era(running.info.era);
        running.child.request(&message, delivery.events).await
    }

    pub(in crate::backend) async fn notify(&self, message: &Message) -> Result<(), CallError> {
        let running = self.0.running(false).await?;
        match running.info.era {
            Era::Legacy => running.child.notify(message),
            // It takes none but cancellations, which are our own.
            Era::Modern => Ok(()),
        }
    }

    pub(in crate::backend) async fn info(&self) -> Result<Arc<ServerInfo>, CallError> {
        Ok(Arc::clone(&self.0.running(false).await?.info))
    }

    pub(in crate::backend) fn is_running(&self) -> bool {
        self.0
            .running
            .load()
            .as_ref()
            .is_some_and(|running| running.child.is_alive())
    }

    /// How often a child was started again.
    pub(in crate::backend) fn restarts(&self) -> u64 {
        self.0.starts.total().saturating_sub(1)
    }

    /// Why no start is tried, if that is so.
    pub(in crate::backend) fn permanent(&self) -> Option<Box<str>> {
        self.0.restart().permanent().map(Into::into)
    }

    pub(in crate::backend::transport) fn watched(&self) -> &Watched {
        &self.0.watched
    }

    pub(in crate::backend::transport) fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Ends the child and waits for its end until `deadline`.
    pub(in crate::backend) async fn rest(&self, deadline: Instant) {
        let Shared { gate, running, .. } = &*self.0;
        if let Some(running) = gate.stop(|| running.swap(None)) {
            running.child.stop();
            let _ = timeout_at(deadline, running.child.gone()).await;
        }
    }

    /// Forgets a stop and earlier deaths, so that the next call starts the child at once.
    pub(in crate::backend) fn forgive(&self) {
        self.0.gate.open();
        *self.0.restart() = Restart::default();
    }
}

impl Shared {
    async fn running(self: &Arc<Self>, probe: bool) -> Result<Arc<Running>, CallError> {
        if let Some(running) = self.alive() {
            return Ok(running);
        }
        let turn = Arc::clone(&self.starting).lock_owned().await;
        if let Some(running) = self.alive() {
            return Ok(running);
        }
        self.may_start(probe)?;
        // A task of its own: a caller that gives up does not undo the start for those who wait behind it.
        let shared = Arc::clone(self);
        let start = tokio::spawn(async move {
            let _turn = turn;
            shared.start().await
        });
        start.await.unwrap_or_else(|error| {
            Err(CallError::unreachable(format!(
                "its start was broken off: {error}"
            )))
        })
    }

    fn alive(&self) -> Option<Arc<Running>> {
        self.running
            .load_full()
            .filter(|running| running.child.is_alive())
    }

    /// A probe of the breaker repairs first, so it need not wait for the back-off.
    fn may_start(&self, probe: bool) -> Result<(), CallError> {
        let restart = self.restart();
        if let Some(reason) = restart.permanent() {
            return Err(permanent(reason));
        }
        match restart.wait(Instant::now()) {
            Some(wait) if !probe => Err(CallError::Unreachable {
                reason: format!(
                    "it is started again after a pause because its process keeps dying; the last time, {}",
                    restart.last_death()
                )
                .into(),
                permanent: false,
                retry_after: Some(wait),
            }),
            _ => Ok(()),
        }
    }

    async fn start(self: Arc<Self>) -> Result<Arc<Running>, CallError> {
        let name = &self.backend.name;
        let pass = self.gate.enter()?;
        let path = program::locate(&self.stdio).map_err(|missing| {
            let reason = missing.to_string();
            if self.restart().give_up(&reason) {
                tracing::warn!(backend = %name, reason, "Backend cannot be started");
            }
            permanent(&reason)
        })?;
        let (process, pipes) =
            Process::start(&self.backend, &path, &self.stdio).map_err(|error| {
                let reason = format!("its command could not be started: {error}");
                self.died(Duration::ZERO, &reason);
                CallError::unreachable(reason)
            })?;
        self.starts.add(1);
        let (child, orders) = Child::new(OtherEnd::Process);
        let outlet = (self.outlet.clone(), child.replies());
        let pump = Pump::new(orders, outlet, Arc::clone(&self.bound));
        let span = tracing::debug_span!("child", backend = %name);
        tokio::spawn(
            Arc::clone(&self)
                .drive(pump, process, pipes)
                .instrument(span),
        );
        let info = self.shake_hands(&child).await.inspect_err(|error| {
            // A child that is dead has been counted by its pump.
            if child.is_alive() {
                self.died(Duration::ZERO, &error.to_string());
            }
        })?;
        let running = Arc::new(Running { child, info });
        self.gate
            .keep(pass, || self.running.store(Some(Arc::clone(&running))))?;
        let revision = match running.info.era {
            Era::Legacy => running.info.revision.as_str(),
            Era::Modern => {
                let (shared, running) = (Arc::clone(&self), Arc::clone(&running));
                tokio::spawn(async move { shared.listen(&running).await });
                MODERN
            }
        };
        tracing::info!(backend = %name, revision, "Backend started");
        Ok(running)
    }

    /// Opens with `initialize`, which children of all revisions but the newest answer; one that refuses is asked whether it
    /// is of that one. The other way round would meet servers that end at a request which they do not know.
    async fn shake_hands(&self, child: &Child) -> Result<Arc<ServerInfo>, CallError> {
        let answer = greet(child, &self.outlet.initialize(self.backend.revision)).await?;
        if answer.error().is_some() {
            let answer = greet(child, &wire::discover()).await?;
            if let Some(info) = ServerInfo::from_discovery(&answer) {
                return Ok(Arc::new(info));
            }
        }
        let info = ServerInfo::from_answer(&answer, &self.backend)?;
        child.notify(&wire::initialized())?;
        Ok(Arc::new(info))
    }

    /// The life of one child, from its start to the last word on its death.
    async fn drive(self: Arc<Self>, mut pump: Pump, process: Process, mut pipes: Pipes) {
        let born = Instant::now();
        match pump.run(&mut pipes.stdout, &mut pipes.stdin).await {
            Ended::Dismissed => {
                drop(pipes);
                process.end().await;
                pump.fail_all("the backend was stopped", &CallError::Stopped);
            }
            Ended::ByChild => {
                let reason = process.post_mortem().await;
                self.died(born.elapsed(), &reason);
                tracing::warn!(backend = %self.backend.name, reason = %reason, "Backend process ended");
                pump.fail_all(&reason, &CallError::unreachable(reason.clone()));
            }
        }
    }

    async fn listen(&self, running: &Running) {
        let Running { child, info } = running;
        subscription::listen(child, info, (&self.watched, &self.outlet)).await;
    }

    fn died(&self, lived: Duration, reason: &str) {
        self.restart().died(Instant::now(), lived, reason, jitter());
    }

    fn restart(&self) -> MutexGuard<'_, Restart> {
        self.restart.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer of a child that has just been started.
async fn greet(child: &Child, greeting: &Message) -> Result<Message, CallError> {
    let method = greeting.method().unwrap_or_default();
    timeout(START_TIMEOUT, child.request(greeting, None))
        .await
        .unwrap_or_else(|_| {
            Err(CallError::unreachable(format!(
                "it did not answer {method} within {START_TIMEOUT:?} of its start"
            )))
        })
        // Nothing of the call itself has been sent yet.
        .map_err(|error| match error {
            CallError::Lost { reason } | CallError::Protocol { reason } => {
                CallError::unreachable(reason)
            }
            other => other,
        })
}

/// 0.5 to 1.0.
fn jitter() -> f64 {
    0.5 + f64::from(draw()) / f64::from(u32::MAX) / 2.0
}

fn permanent(reason: &str) -> CallError {
    CallError::Unreachable {
        reason: reason.into(),
        permanent: true,
        retry_after: None,
    }
}
