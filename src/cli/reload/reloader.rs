//! Reads the configuration again and lets it hold, one reading after the other: all of it, or nothing.

use std::{io, path::PathBuf, sync::Arc};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    task::spawn_blocking,
};

use super::files::Look;
use crate::{
    backend::{BackendSettings, TransportSettings},
    cli::{
        args::Options,
        capabilities::Capabilities,
        configured::{configured_for, sources},
        ended::Ended,
    },
    config::{self, Config, Finding},
    gateway::{Gateway, ReloadOutcome, Reloaded, Wish},
    server::{ServerRules, ServerSettings},
    telemetry::TelemetrySettings,
};

/// Wishes that one reading answers.
const MOST_WISHES: usize = 64;

/// What a configuration was read from, to read it again.
pub(in crate::cli) struct Origin {
    pub(in crate::cli) options: Options,
    pub(in crate::cli) program: PathBuf,
    /// What it was warned of already.
    pub(in crate::cli) warnings: Vec<Finding>,
    /// Where traces and alarms go until the next start.
    pub(in crate::cli) telemetry: TelemetrySettings,
}

/// Where a server's settings hold.
pub(in crate::cli) enum Served {
    /// At a port, by rules that can change.
    Everybody(ServerRules),
    /// On the standard streams, as they were at the start.
    OneClient(Box<ServerSettings>),
}

/// Reads the configuration again when it should be.
pub(in crate::cli) struct Reloader {
    origin: Arc<Origin>,
    known: Vec<Finding>,
    look: Look,
    capabilities: Capabilities,
    gateway: Arc<Gateway>,
    served: Served,
    wishes: mpsc::Receiver<Wish>,
    hangups: Signal,
}

impl Reloader {
    /// From now on SIGHUP no longer ends the process.
    pub(in crate::cli) fn new(
        origin: Origin,
        capabilities: Capabilities,
        gateway: Arc<Gateway>,
        served: Served,
    ) -> io::Result<Self> {
        let files = config::files(&sources(&origin.program, &origin.options));
        Ok(Self {
            known: origin.warnings.clone(),
            look: Look::at(files),
            wishes: gateway.reload_wishes(),
            hangups: signal(SignalKind::hangup())?,
            origin: Arc::new(origin),
            capabilities,
            gateway,
            served,
        })
    }

    /// Goes on until the gateway is gone.
    pub(in crate::cli) async fn run(mut self) {
        loop {
            let mut wishes = Vec::new();
            let because = tokio::select! {
                taken = self.wishes.recv_many(&mut wishes, MOST_WISHES) => match taken {
                    0 => return,
                    _ => "an operator asked",
                },
                _ = self.hangups.recv() => "SIGHUP",
                () = self.look.changes() => "a file changed",
            };
            // Whoever has asked before the reading begins is answered by it.
            while let (true, Ok(wish)) = (wishes.len() < MOST_WISHES, self.wishes.try_recv()) {
                wishes.push(wish);
            }
            let outcome = self.reload(because).await;
            self.gateway.reload_ended(&outcome);
            wishes.into_iter().for_each(|wish| wish.answer(&outcome));
        }
    }

    async fn reload(&mut self, because: &'static str) -> ReloadOutcome {
        let outcome = match self.read().await {
            Ok(config) => self.take_over(config),
            Err(ended) => Err(ended.to_string()),
        };
        match outcome {
            Ok(reloaded) => {
                report(because, &reloaded);
                Ok(Arc::new(reloaded))
            }
            Err(errors) => {
                tracing::warn!(
                    because,
                    errors,
                    "Configuration refused; what runs stays as it was"
                );
                Err(errors.into())
            }
        }
    }

    async fn read(&mut self) -> Result<Config, Ended> {
        let origin = Arc::clone(&self.origin);
        let reading = spawn_blocking(move || {
            let Origin {
                options, program, ..
            } = &*origin;
            // Before it is read, so that what is written meanwhile is seen as a change.
            let look = Look::at(config::files(&sources(program, options)));
            (look, configured_for(program, options))
        });
        let (look, config) = reading
            .await
            .map_err(|error| Ended::Failed(format!("The reading was broken off ({error}).")))?;
        self.look = look;
        config
    }

    /// What can be wrong is looked at before anything changes. Who may ask changes before what there is to ask for: nobody
    /// sees a new backend with rights that no longer hold.
    fn take_over(&mut self, config: Config) -> Result<Reloaded, String> {
        let Config {
            server,
            gateway,
            mut backends,
            capabilities,
            warnings,
            telemetry,
            ..
        } = config;
        let mut needs_restart = match &self.served {
            Served::Everybody(rules) => {
                let next = rules.next(&server).map_err(|error| error.to_string())?;
                next.hold(&self.gateway);
                rules.needs_restart(&server)
            }
            Served::OneClient(started) => needs_restart(started, &server),
        };
        needs_restart.extend(changed_targets(&self.origin.telemetry, &telemetry));
        backends.extend(capabilities.map(|it| self.capabilities.backend(it)));
        let obstacles: Vec<_> = backends.iter().filter_map(obstacle).collect();
        let patience = server.shutdown_timeout;
        let adopted = self.gateway.adopt(&gateway, backends, patience);
        let backends = adopted.ok_or("The gateway is stopping, so nothing new is taken over.")?;
        for (name, reason) in obstacles {
            if backends.added.contains(&name) || backends.changed.contains(&name) {
                tracing::warn!(backend = &*name, reason, "Backend cannot start");
            }
        }
        for warning in warnings
            .iter()
            .filter(|warning| !self.known.contains(warning))
        {
            tracing::warn!("{warning}");
        }
        let told = warnings.iter().map(Finding::to_string).collect();
        self.known = warnings;
        Ok(Reloaded {
            backends,
            needs_restart,
            warnings: told,
        })
    }
}

fn report(because: &str, reloaded: &Reloaded) {
    let backends = &reloaded.backends;
    tracing::info!(
        because,
        added = ?backends.added,
        changed = ?backends.changed,
        removed = ?backends.removed,
        renewed = ?backends.renewed,
        unchanged = backends.unchanged,
        "Configuration reloaded"
    );
    for setting in &reloaded.needs_restart {
        tracing::warn!(
            setting,
            "This setting was changed and takes effect at the next start"
        );
    }
}

/// The settings of a server that holds to those it was started with; of the others none concerns a single client.
fn needs_restart(started: &ServerSettings, now: &ServerSettings) -> Vec<&'static str> {
    let differs = [
        (
            "server.max_body_size",
            started.limits.max_body_size != now.limits.max_body_size,
        ),
        (
            "server.shutdown_timeout",
            started.shutdown_timeout != now.shutdown_timeout,
        ),
    ];
    let differing = differs.into_iter().filter(|(_, differs)| *differs);
    differing.map(|(key, _)| key).collect()
}

/// Where traces and alarms go is a thread and a task that were started with the program.
fn changed_targets(
    started: &TelemetrySettings,
    now: &TelemetrySettings,
) -> impl Iterator<Item = &'static str> {
    let traces = (started.traces != now.traces).then_some("telemetry.traces");
    let webhook = (started.webhook != now.webhook).then_some("telemetry.webhook");
    traces.into_iter().chain(webhook)
}

fn obstacle(settings: &BackendSettings) -> Option<(Box<str>, String)> {
    match &settings.transport {
        TransportSettings::Stdio(stdio) => Some((settings.name.clone(), stdio.obstacle()?)),
        TransportSettings::Http(_) | TransportSettings::Provided(_) => None,
    }
}
