//! The listener: from a bound port, through taking connections, to a drained stop.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout_at},
};
use tracing::{debug, info, warn};

use super::{
    bind::{self, BindError},
    connection,
    crews::Crews,
    door::Door,
    phase::Phase,
    rules::{ServerRules, token},
    settings::ServerSettings,
};
use crate::{gateway::Gateway, lockfree::Pace};

/// How long to wait after the system could give no further connection.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is said while that lasts.
const COMPLAINTS: Duration = Duration::from_secs(10);
/// What cut connections need to unwind.
const CUT_GRACE: Duration = Duration::from_secs(1);
/// What backends get to end at least, however long the drain took.
pub(super) const BACKEND_GRACE: Duration = Duration::from_secs(5);

/// A bound port that nobody is served on yet.
#[derive(Debug)]
pub struct Server {
    listener: std::net::TcpListener,
    address: SocketAddr,
    max_connections: usize,
    rules: ServerRules,
    token_file: Option<PathBuf>,
    runtimes: Vec<Handle>,
}

impl Server {
    /// Binds the port, and makes the token where the settings ask for one.
    ///
    /// # Errors
    /// When the address cannot be bound, when it would be open to others without a key, or when the token
    /// cannot be written.
    pub fn bind(settings: ServerSettings) -> Result<Self, BindError> {
        let listener = bind::listen(&settings)?;
        let address = listener
            .local_addr()
            .map_err(|error| BindError::of(SocketAddr::new(settings.host, settings.port), error))?;
        let (token, token_file) = token(&settings)?
            .map(|made| (made.token, made.file))
            .unzip();
        Ok(Self {
            listener,
            address,
            max_connections: settings.limits.max_connections,
            rules: ServerRules::new(settings, token.as_ref()),
            token_file: token_file.flatten(),
            runtimes: Vec::new(),
        })
    }

    /// Where it listens, with the port that the system chose if none was given.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What holds for requests, to be changed while the server runs.
    #[must_use]
    pub fn rules(&self) -> ServerRules {
        self.rules.clone()
    }

    /// The file that holds the token of `auth.bearer_token: auto`.
    #[must_use]
    pub fn token_file(&self) -> Option<&Path> {
        self.token_file.as_deref()
    }

    /// Serves its connections on these runtimes instead of the one that runs it. Each connection stays on the runtime that
    /// it is given, with all its requests. They must live until the server has ended.
    #[must_use]
    pub fn on(mut self, runtimes: Vec<Handle>) -> Self {
        self.runtimes = runtimes;
        self
    }

    /// Serves `gateway` until `stop` resolves. Then nothing new is taken, open listening streams end, calls in flight
    /// may finish within the shutdown timeout, the rest is cut, and the gateway is shut down.
    ///
    /// # Errors
    /// When the listener cannot be handed to the runtime.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O and time.
    pub async fn run(
        self,
        gateway: Arc<Gateway>,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let (phase, seen) = watch::channel(Phase::Open);
        let places = Places::new(self.max_connections);
        let listener = TcpListener::from_std(self.listener)?;
        let crews = Crews::of(self.runtimes);
        let door = Arc::new(Door {
            http: connection::http(&self.rules.now().limits),
            rules: self.rules.clone(),
            gateway: Arc::clone(&gateway),
            phase: seen,
            streams: Arc::default(),
            scraping: Semaphore::const_new(1),
        });
        tokio::select! {
            () = take_connections(listener, &door, &places, &crews) => {}
            () = stop => {}
        }
        let deadline = Instant::now() + self.rules.now().shutdown_timeout;
        gateway.close_streams();
        // They would come on connections that are not taken any more.
        gateway.end_of_answers();
        drain(&phase, &places, deadline).await;
        gateway
            .shutdown(deadline.max(Instant::now() + BACKEND_GRACE))
            .await;
        Ok(())
    }
}

async fn take_connections(listener: TcpListener, door: &Arc<Door>, places: &Places, crews: &Crews) {
    let complaints = Pace::new(COMPLAINTS);
    while let Some(place) = places.take().await {
        match listener.accept().await {
            Ok((stream, _)) => crews.give(stream, Arc::clone(door), place),
            Err(error) if is_of_peer(&error) => {
                debug!(%error, "Connection gone before it was taken");
            }
            Err(error) => {
                if complaints.turn(door.gateway.clock().now().millis()) {
                    warn!(%error, "No connection can be taken: most likely the process has no file descriptor left. Clients wait; raise ulimit -n or lower the number of connections");
                }
                sleep(PAUSE).await;
            }
        }
    }
}

fn is_of_peer(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted
    )
}

async fn drain(phase: &watch::Sender<Phase>, places: &Places, deadline: Instant) {
    phase.send_replace(Phase::Draining);
    info!(
        connections = places.in_use(),
        "Nothing new is taken, calls in flight may finish"
    );
    if timeout_at(deadline, places.all_free()).await.is_err() {
        warn!(
            connections = places.in_use(),
            "Shutdown timeout reached, cutting what is left"
        );
        phase.send_replace(Phase::Cut);
        let _ = timeout_at(Instant::now() + CUT_GRACE, places.all_free()).await;
    }
}

/// One place per connection: a bound, and the way to know that all are gone.
struct Places {
    free: Arc<Semaphore>,
    all: u32,
}

impl Places {
    fn new(most: usize) -> Self {
        let all = u32::try_from(most.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            free: Arc::new(Semaphore::new(all as usize)),
            all,
        }
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    fn in_use(&self) -> usize {
        self.all as usize - self.free.available_permits()
    }

    async fn all_free(&self) {
        let _ = self.free.acquire_many(self.all).await;
    }
}
