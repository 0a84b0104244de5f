//! `serve`: from a configuration to a gateway that runs until somebody stops it.

use std::{io, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use super::{
    args::{Format, Options},
    banner::Banner,
    capabilities::Capabilities,
    configured::{configured_for, program},
    ended::Ended,
    reload::{Origin, Reloader, Served},
    runtime::Runtimes,
    stop::Signals,
    streams::Streams,
};
use crate::{
    backend::{Backend, BackendSettings, HttpSettings, Poster},
    gateway::{Gateway, GatewaySettings},
    server::{BindError, Server, ServerSettings, serve_lines},
    telemetry::{Clock, Log, Secret, TelemetrySettings, Tracer, WebhookSettings, subscriber},
};

/// How long a thread that is busy may keep the process from ending once everything is drained.
const LAST_THREADS: Duration = Duration::from_secs(1);

/// How long the client may take to read what was written to it last.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// How long the collector may take for what is left to tell at the end.
const LAST_SPANS: Duration = Duration::from_secs(5);

/// How long whoever takes alarms may take for one.
const ALARM: Duration = Duration::from_secs(5);

/// Everything that is there before the first thread is.
struct Prepared {
    gateway: Arc<Gateway>,
    server: ServerSettings,
    banner: Banner,
    format: Format,
    origin: Origin,
    capabilities: Capabilities,
}

impl Prepared {
    /// With the log, which is to end last.
    fn of(options: &Options) -> Result<(Self, Log), Ended> {
        let program = program()?;
        let mut config = configured_for(&program, options)?;
        let mut log = subscriber::init(&options.log_level, options.log_format.into())
            .map_err(|error| Ended::Misused(error.to_string()))?;
        let banner = Banner::of(&config);
        let clock = Clock::new();
        let tracer = tracer(&config.telemetry, &clock)?;
        let webhook = config.telemetry.webhook.as_ref().map(webhook);
        let mut capabilities = Capabilities::new(clock.clone());
        let provided = config.capabilities.map(|it| capabilities.backend(it));
        config.backends.extend(provided);
        let gateway = gateway(config.gateway, config.backends, clock, tracer);
        if let Some(webhook) = webhook {
            gateway.tell_alarms(Arc::new(webhook));
        }
        log.write_behind();
        let prepared = Self {
            gateway,
            server: config.server,
            banner,
            format: options.log_format,
            origin: Origin {
                options: options.clone(),
                program,
                warnings: config.warnings,
                telemetry: config.telemetry,
            },
            capabilities,
        };
        Ok((prepared, log))
    }
}

/// Serves everybody who reaches the port.
pub(super) fn serve(options: &Options) -> Result<(), Ended> {
    let (prepared, _log) = Prepared::of(options)?;
    let runtimes = Runtimes::start()?;
    let gateway = Arc::clone(&prepared.gateway);
    let ended = runtimes.block_on(Box::pin(listen(prepared, runtimes.handles())));
    runtimes.shutdown(LAST_THREADS);
    send_last_spans(&gateway);
    ended
}

/// Serves one client on the standard streams. Its standard output is for the protocol alone.
pub(super) fn serve_stdio(options: &Options) -> Result<(), Ended> {
    let (prepared, _log) = Prepared::of(options)?;
    let runtimes = Runtimes::one()?;
    let Streams {
        input,
        output,
        written,
    } = Streams::open();
    let gateway = Arc::clone(&prepared.gateway);
    let ended = runtimes.block_on(Box::pin(attend(prepared, (input, output))));
    runtimes.shutdown(LAST_THREADS);
    send_last_spans(&gateway);
    // A client that does not read the rest has no use for it.
    let _ = written.recv_timeout(LAST_WORDS);
    ended
}

/// Made before the process has threads: its tables register with the kernel for memory barriers, which is free as long
/// as there is one thread and waits for every core afterwards, more than half of the time from start to first answer.
fn gateway(
    settings: GatewaySettings,
    backends: Vec<BackendSettings>,
    clock: Clock,
    tracer: Tracer,
) -> Arc<Gateway> {
    let backends = backends
        .into_iter()
        .map(|settings| Backend::new(settings, clock.clone()))
        .collect();
    Gateway::traced(settings, backends, clock, tracer)
}

fn send_last_spans(gateway: &Gateway) {
    if !gateway.tracer().finish(LAST_SPANS) {
        tracing::warn!("The collector did not take the last spans in time; they are lost");
    }
}

/// Traces leave by the same way on which backends are called.
fn tracer(settings: &TelemetrySettings, clock: &Clock) -> Result<Tracer, Ended> {
    let Some(traces) = &settings.traces else {
        return Ok(Tracer::off());
    };
    let mut headers = traces.headers.clone();
    headers.push((CONTENT_TYPE, Secret::new("application/x-protobuf")));
    let collector = HttpSettings {
        url: traces.endpoint.clone(),
        headers,
    };
    let post = Arc::new(Poster::new(&collector, traces.timeout));
    Tracer::start(traces, clock.clone(), post).map_err(|error| Ended::Failed(error.to_string()))
}

/// Alarms leave by the same way on which backends are called.
fn webhook(settings: &WebhookSettings) -> Poster {
    let mut headers = settings.headers.clone();
    headers.push((CONTENT_TYPE, Secret::new("application/json")));
    let receiver = HttpSettings {
        url: settings.url.clone(),
        headers,
    };
    Poster::new(&receiver, ALARM)
}

async fn listen(prepared: Prepared, runtimes: Vec<Handle>) -> Result<(), Ended> {
    let Prepared {
        gateway,
        server,
        banner,
        format,
        origin,
        capabilities,
    } = prepared;
    let server = Server::bind(server)?.on(runtimes);
    let signals = listen_for_signals()?;
    let served = Served::Everybody(server.rules());
    keep_up_to_date((origin, capabilities), &gateway, served)?;
    gateway.supervise();
    let url = format!("http://{}/mcp", server.local_addr());
    banner.show(Some(&url), server.token_file(), format);
    until_stopped(signals, |stop| server.run(gateway, asked(stop))).await
}

async fn attend(
    prepared: Prepared,
    streams: (mpsc::Receiver<Bytes>, mpsc::Sender<Bytes>),
) -> Result<(), Ended> {
    let Prepared {
        gateway,
        server,
        banner,
        format,
        origin,
        capabilities,
    } = prepared;
    let signals = listen_for_signals()?;
    let served = Served::OneClient(Box::new(server.clone()));
    keep_up_to_date((origin, capabilities), &gateway, served)?;
    gateway.supervise();
    banner.show(None, None, format);
    until_stopped(signals, |stop| async move {
        serve_lines(gateway, &server, streams, asked(stop)).await;
        Ok(())
    })
    .await
}

fn listen_for_signals() -> Result<Signals, Ended> {
    Signals::listen().map_err(no_signals)
}

/// From now on the configuration is read again when it should be.
fn keep_up_to_date(
    (origin, capabilities): (Origin, Capabilities),
    gateway: &Arc<Gateway>,
    served: Served,
) -> Result<(), Ended> {
    let reloader = Reloader::new(origin, capabilities, Arc::clone(gateway), served);
    let reloader = reloader.map_err(no_signals)?;
    tokio::spawn(reloader.run());
    Ok(())
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` hands the error over"
)]
fn no_signals(error: io::Error) -> Ended {
    Ended::Failed(format!(
        "Signals cannot be listened for ({error}), so the gateway could not be stopped in order. Start it again."
    ))
}

/// Resolves when a stop is asked for; an end without a word is an end too.
async fn asked(stop: oneshot::Receiver<()>) {
    let _ = stop.await;
}

/// The first signal lets calls in flight finish, the second lets nothing finish.
async fn until_stopped<S>(
    mut signals: Signals,
    serve: impl FnOnce(oneshot::Receiver<()>) -> S,
) -> Result<(), Ended>
where
    S: Future<Output = io::Result<()>>,
{
    let (stop, stopped) = oneshot::channel();
    let mut served = pin!(serve(stopped));
    let ended = tokio::select! {
        ended = &mut served => ended,
        signal = signals.next() => {
            tracing::info!(signal, "Stopping; once more to stop at once");
            drop(stop);
            tokio::select! {
                ended = served => ended,
                signal = signals.next() => return Err(Ended::Failed(format!(
                    "Stopped at once by a second {signal}: calls that were in flight are lost."
                ))),
            }
        }
    };
    ended.map_err(|error| {
        Ended::Failed(format!(
            "The listener failed ({error}), so nobody can be served any longer. Start the gateway again."
        ))
    })
}

impl From<BindError> for Ended {
    fn from(error: BindError) -> Self {
        match error {
            BindError::Exposed(_) | BindError::NoKey => Self::Misused(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
