//! A way to a backend that belongs to one client: a session or a child of its own, opened with what that client can be asked
//! for. On one that several share nobody could tell whose request a server sends.

use std::{fmt, sync::Arc, time::Duration};

use tokio::{runtime::Handle, time::Instant};

use super::{
    BackendSettings, CallError, Client, EventReceiver, events,
    transport::{Outlet, Transport},
};
use crate::{lockfree::Latest, protocol::Message};

/// How long a session or a child may take to end once its client has gone.
const END: Duration = Duration::from_secs(5);
/// Messages that wait for a client to whom nothing can be said at the moment.
const OUTSIDE: usize = 64;

/// One client's own way to one backend. Dropped, it ends its session or child.
pub struct Line {
    client: Arc<Client>,
    /// Whose client it is; nobody's in particular where all clients are one caller.
    caller: Option<Box<str>>,
    transport: Transport,
    /// 1 once it has been ended.
    over: Latest,
}

impl Line {
    /// A line on which nothing has been opened yet, and what its backend says there outside of every call.
    pub(super) fn new(
        settings: &Arc<BackendSettings>,
        client: Arc<Client>,
        caller: Option<&str>,
    ) -> (Arc<Self>, EventReceiver) {
        let (sender, outside) = events(OUTSIDE);
        let outlet = Outlet::Client {
            client: Arc::clone(&client),
            outside: sender,
        };
        let transport = Transport::new(settings, outlet);
        let line = Self {
            client,
            caller: caller.map(Into::into),
            transport,
            over: Latest::new(0),
        };
        (Arc::new(line), outside)
    }

    /// Whose it is.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn is_of(&self, caller: Option<&str>) -> bool {
        self.caller.as_deref() == caller
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
        self.over.set(1);
        if let Ok(runtime) = Handle::try_current() {
            let transport = self.transport.clone();
            runtime.spawn(async move { transport.stop(Instant::now() + END).await });
        }
    }

    /// Ends it; returns when that is done or at `deadline`.
    pub(super) async fn stop(&self, deadline: Instant) {
        self.over.set(1);
        self.transport.stop(deadline).await;
    }

    /// Whether it has been ended: nothing can be sent on it any more, and its client needs another one.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.value() != 0
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
