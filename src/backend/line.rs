//! A way to a backend that belongs to one client: a session or a child of its own, opened with what that client can be asked
//! for. On one that several share nobody could tell whose request a server sends.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{runtime::Handle, time::Instant};

use super::{
    BackendSettings, Client, EventReceiver, events,
    transport::{Outlet, Transport},
};

/// How long a session or a child may take to end once its client has gone.
const END: Duration = Duration::from_secs(5);
/// Messages that wait for a client to whom nothing can be said at the moment.
const OUTSIDE: usize = 64;

/// One client's own way to one backend. Dropped, it ends its session or child.
pub struct Line {
    client: Arc<Client>,
    transport: Transport,
}

impl Line {
    /// A line on which nothing has been opened yet, and what its backend says there outside of every call.
    pub(super) fn new(
        settings: &Arc<BackendSettings>,
        client: Arc<Client>,
    ) -> (Arc<Self>, EventReceiver) {
        let (sender, outside) = events(OUTSIDE);
        let outlet = Outlet::Client {
            client: Arc::clone(&client),
            outside: sender,
        };
        let transport = Transport::new(settings, outlet);
        (Arc::new(Self { client, transport }), outside)
    }

    /// Whose it is.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(super) const fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Whether a child runs or a session is open on it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.transport.is_running()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Ok(runtime) = Handle::try_current() {
            let transport = self.transport.clone();
            runtime.spawn(async move { transport.stop(Instant::now() + END).await });
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
