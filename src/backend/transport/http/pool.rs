//! Connections that wait for their next request: each thread keeps its own, so that a call wakes no other thread.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{
    connect::connect,
    connection::Connection,
    endpoint::Endpoint,
    exchange::{Outgoing, SendError},
    head::Head,
    shelves::Shelves,
};

/// Connections to one backend.
#[derive(Debug)]
pub(super) struct Pool {
    endpoint: Endpoint,
    idle: Shelves<Connection>,
}

/// A connection that carries a response. Dropped, it is closed, which tells the backend that nobody reads.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Connection,
    pool: Arc<Pool>,
}

impl Lease {
    /// Gives the connection back if its response has been read to the end.
    pub(super) fn give_back(self) {
        if self.connection.is_at_rest() {
            self.pool.idle.put(self.connection);
        }
    }
}

impl Deref for Lease {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Pool {
    /// A pool that keeps up to `size` idle connections for each thread.
    pub(super) fn new(endpoint: Endpoint, size: usize) -> Arc<Self> {
        Arc::new(Self {
            endpoint,
            idle: Shelves::new(size),
        })
    }

    /// Closes the idle connections.
    pub(super) fn clear(&self) {
        self.idle.clear();
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends `request` on a kept connection, or on a new one. A kept connection that the backend closed meanwhile is
    /// passed over as long as the request has not been written to it.
    pub(super) async fn send(
        self: &Arc<Self>,
        request: &Outgoing<'_>,
    ) -> Result<(Head, Lease), SendError> {
        while let Some(mut connection) = self.idle.take() {
            if !connection.is_ready() {
                continue;
            }
            match connection.exchange(request).await {
                Err(SendError::Unsent(_)) => {}
                Err(lost) => return Err(lost),
                Ok(head) => return Ok((head, self.lease(connection))),
            }
        }
        let mut connection = connect(&self.endpoint).await.map_err(SendError::Unsent)?;
        let head = connection.exchange(request).await?;
        Ok((head, self.lease(connection)))
    }

    fn lease(self: &Arc<Self>, connection: Connection) -> Lease {
        Lease {
            connection,
            pool: Arc::clone(self),
        }
    }
}
