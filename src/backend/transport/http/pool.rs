//! Connections that wait for their next request: each thread keeps its own, so that a call wakes no other thread.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use super::{
    connect::{Connection, connect},
    endpoint::Endpoint,
    shelves::Shelves,
};

/// Connections to one backend.
#[derive(Debug)]
pub(super) struct Pool {
    endpoint: Endpoint,
    idle: Shelves<Connection>,
}

/// Why a request got no response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// The backend surely has not read it.
    Unsent(Box<str>),
    /// It may have.
    Lost(Box<str>),
}

/// A connection that carries a response. Dropped, it is closed, which tells the backend that nobody reads.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Connection,
    pool: Arc<Pool>,
}

impl Lease {
    /// Gives the connection back once its response has been read to the end.
    pub(super) fn give_back(self) {
        self.pool.idle.put(self.connection);
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
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Lease), SendError> {
        while let Some(mut connection) = self.idle.take() {
            if connection.ready().await.is_err() {
                continue;
            }
            match self.try_send(connection, request).await {
                Ok(sent) => return Ok(sent),
                Err((_, Some(unsent))) => request = unsent,
                Err((error, None)) => return Err(SendError::Lost(error)),
            }
        }
        let connection = connect(&self.endpoint).await.map_err(SendError::Unsent)?;
        self.try_send(connection, request)
            .await
            .map_err(|(error, unsent)| match unsent {
                Some(_) => SendError::Unsent(error),
                None => SendError::Lost(error),
            })
    }

    async fn try_send(
        self: &Arc<Self>,
        mut connection: Connection,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Lease), (Box<str>, Option<Request<Full<Bytes>>>)> {
        match connection.try_send_request(request).await {
            Ok(response) => Ok((
                response,
                Lease {
                    connection,
                    pool: Arc::clone(self),
                },
            )),
            Err(mut error) => {
                let unsent = error.take_message();
                Err((sentence(error.error()), unsent))
            }
        }
    }
}

fn sentence(error: &hyper::Error) -> Box<str> {
    let cause = std::error::Error::source(error)
        .map(|source| format!(": {source}"))
        .unwrap_or_default();
    format!("the connection broke: {error}{cause}").into()
}
