//! Posts to somebody who is no MCP server: a collector of traces, a receiver of alarms.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::time::timeout;

use super::{
    connection::Unread,
    endpoint::Endpoint,
    exchange::{Says, SendError, post},
    pool::Pool,
};
use crate::{
    backend::HttpSettings,
    protocol::PIECES,
    telemetry::trace::{Post, Posted},
};

/// The longest answer that is read, in bytes: nobody has much to say to a post.
const MOST: usize = 64 << 10;
/// Connections that are kept by each thread.
const KEPT: usize = 1;

/// Posts bodies to one URL, always with the same headers.
pub struct Poster {
    pool: Arc<Pool>,
    patience: Duration,
}

impl Poster {
    /// Posts to where `settings` say; an answer may take as long as `patience`.
    #[must_use]
    pub fn new(settings: &HttpSettings, patience: Duration) -> Self {
        Self {
            pool: Pool::new(Endpoint::new(settings), KEPT),
            patience,
        }
    }

    async fn exchanged(&self, body: &[u8]) -> Result<(u16, Bytes), Box<str>> {
        let mut pieces: [&[u8]; PIECES] = [b""; PIECES];
        pieces[0] = body;
        let request = post(self.pool.endpoint(), Says::default(), pieces);
        let (head, mut lease) = self.pool.send(&request).await.map_err(reason)?;
        let read = lease.whole(MOST).await.map_err(|unread| match unread {
            Unread::Broken(reason) => reason,
            Unread::TooLong => format!("its answer is longer than {MOST} bytes").into(),
        })?;
        lease.give_back();
        Ok((head.status.as_u16(), read))
    }
}

impl Post for Poster {
    fn post(&self, body: Bytes) -> Posted<'_> {
        Box::pin(async move {
            let patience = self.patience;
            let exchanged = timeout(patience, self.exchanged(&body)).await;
            exchanged.unwrap_or_else(|_| Err(format!("no answer within {patience:?}").into()))
        })
    }
}

fn reason(error: SendError) -> Box<str> {
    match error {
        SendError::Unsent(reason) | SendError::Lost(reason) => reason,
    }
}

impl fmt::Debug for Poster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Poster").field(self.pool.endpoint()).finish()
    }
}
