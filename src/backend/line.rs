//! A way to a backend that belongs to one client: a session or a child of its own, opened with what that client can be asked
//! for. On one that several share nobody could tell whose request a server sends.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{runtime::Handle, time::Instant};

use super::{
    BackendSettings, CallError, Client, EventReceiver, events,
    transport::{Outlet, Transport},
};
use crate::protocol::Message;

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

    /// Sends a notification of its client; nobody opens anything for one.
    ///
    /// # Errors
    /// If the backend cannot be reached.
    pub async fn notify(&self, message: &Message) -> Result<(), CallError> {
        if self.is_running() {
            self.transport.notify(message).await?;
        }
        Ok(())
    }

    /// Ends its session or child, in a task of its own.
    pub fn end(&self) {
        if let Ok(runtime) = Handle::try_current() {
            let transport = self.transport.clone();
            runtime.spawn(async move { transport.stop(Instant::now() + END).await });
        }
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
        self.end();
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
