//! What a request meets and where it came through: shared by all, by its connection, and its own.

use std::sync::Arc;

use hyper_util::{rt::TokioExecutor, server::conn::auto};
use tokio::sync::{Semaphore, watch};

use super::{intake::Taken, phase::Phase, rules::ServerRules, streams::Streams};
use crate::{
    gateway::Gateway,
    lockfree::Counter,
    telemetry::{RequestId, Stamp, Trace},
};

/// What every request of a server meets.
pub(super) struct Door {
    pub(super) http: auto::Builder<TokioExecutor>,
    pub(super) gateway: Arc<Gateway>,
    pub(super) rules: ServerRules,
    pub(super) phase: watch::Receiver<Phase>,
    /// Clients that speak on an event stream.
    pub(super) streams: Arc<Streams>,
    /// Held while the metrics are put together: by one at a time.
    pub(super) scraping: Semaphore,
}

/// One connection, shared by its requests: an open one holds a reference.
pub(super) struct Peer {
    pub(super) door: Arc<Door>,
    /// Requests so far.
    pub(super) requests: Counter,
}

/// One request at the door.
#[derive(Clone)]
pub(super) struct Visit<'a> {
    pub(super) door: &'a Door,
    pub(super) request_id: RequestId,
    pub(super) trace: Trace,
    pub(super) started: Stamp,
}

impl Visit<'_> {
    /// The moment from which our own time counts: what its sender took for the body is not ours.
    pub(super) fn since(&self, taken: &Taken) -> Stamp {
        if taken.late {
            self.door.gateway.clock().now()
        } else {
            self.started
        }
    }
}
