//! `serve`: from a configuration to a gateway that runs until somebody stops it.

use std::{pin::pin, sync::Arc, time::Duration};

use tokio::sync::oneshot;

use super::{
    args::{Format, Options},
    banner::Banner,
    configured::configured,
    ended::Ended,
    runtime::Runtimes,
    stop::Signals,
    streams::Streams,
};
use crate::{
    backend::{Backend, BackendSettings},
    gateway::{Gateway, GatewaySettings},
    server::{BindError, Server, serve_lines},
    telemetry::{Clock, subscriber},
};

/// How long a thread that is busy may keep the process from ending once everything is drained.
const LAST_THREADS: Duration = Duration::from_secs(1);

/// How long the client may take to read what was written to it last.
const LAST_WORDS: Duration = Duration::from_secs(5);

pub(super) fn serve(options: &Options) -> Result<(), Ended> {
    let config = configured(options)?;
    subscriber::init(&options.log_level, options.log_format.into())
        .map_err(|error| Ended::Misused(error.to_string()))?;
    let banner = Banner::of(&config);
    let gateway = gateway(config.gateway, config.backends);
    let runtimes = Runtimes::start()?;
    let served = async {
        let server = Server::bind(config.server)?.on(runtimes.handles());
        run(server, gateway, banner, options.log_format).await
    };
    let ended = runtimes.block_on(Box::pin(served));
    runtimes.shutdown(LAST_THREADS);
    ended
}

/// Serves one client on the standard streams. Its standard output is for the protocol alone.
pub(super) fn serve_stdio(options: &Options) -> Result<(), Ended> {
    let config = configured(options)?;
    subscriber::init(&options.log_level, options.log_format.into())
        .map_err(|error| Ended::Misused(error.to_string()))?;
    let banner = Banner::of(&config);
    let gateway = gateway(config.gateway, config.backends);
    let runtimes = Runtimes::one()?;
    let Streams {
        input,
        output,
        written,
    } = Streams::open();
    let served = async {
        let mut signals = listen_for_signals()?;
        gateway.supervise();
        banner.show("standard input", None, options.log_format);
        let stop = async {
            let _ = signals.next().await;
        };
        serve_lines(gateway, &config.server, (input, output), stop).await;
        Ok(())
    };
    let ended = runtimes.block_on(Box::pin(served));
    runtimes.shutdown(LAST_THREADS);
    // A client that does not read the rest has no use for it.
    let _ = written.recv_timeout(LAST_WORDS);
    ended
}

/// Made before the runtime has threads: its tables register with the kernel for memory barriers, which is free as long
/// as there is one thread and waits for every core afterwards, more than half of the time from start to first answer.
fn gateway(settings: GatewaySettings, backends: Vec<BackendSettings>) -> Arc<Gateway> {
    let clock = Clock::new();
    let backends = backends
        .into_iter()
        .map(|settings| Backend::new(settings, clock.clone()))
        .collect();
    Gateway::new(settings, backends, clock)
}

async fn run(
    server: Server,
    gateway: Arc<Gateway>,
    banner: Banner,
    format: Format,
) -> Result<(), Ended> {
    let signals = listen_for_signals()?;
    gateway.supervise();
    let place = format!("http://{}/mcp", server.local_addr());
    banner.show(&place, server.token_file(), format);
    let (stop, stopped) = oneshot::channel::<()>();
    let served = server.run(gateway, async {
        // An end without a word is an end too.
        let _ = stopped.await;
    });
    until_stopped(served, stop, signals).await
}

fn listen_for_signals() -> Result<Signals, Ended> {
    Signals::listen().map_err(|error| {
        Ended::Failed(format!(
            "Stop signals cannot be listened for ({error}), so the gateway could not be stopped in order. Start it again."
        ))
    })
}

/// The first signal lets calls in flight finish, the second lets nothing finish.
async fn until_stopped(
    served: impl Future<Output = std::io::Result<()>>,
    stop: oneshot::Sender<()>,
    mut signals: Signals,
) -> Result<(), Ended> {
    let mut served = pin!(served);
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
