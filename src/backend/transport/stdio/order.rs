//! What goes from the callers of a child to its pump, and what comes back.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::other_end::OtherEnd;
use crate::{
    backend::{CallError, EventSender},
    lockfree::Latest,
    protocol::Message,
};

/// What a caller wants of the child.
#[derive(Debug)]
pub(in crate::backend::transport) enum Order {
    /// Send a request and keep its place.
    Request { serial: u64, asked: Asked },
    /// Send a notification.
    Notify(Message),
    /// The caller has gone: forget the request and tell the child.
    Cancel { serial: u64 },
    /// The message with this id, if that could be read, was too long to be heard.
    Missed { what: Box<str>, id: Option<Bytes> },
    /// End the child.
    Stop,
}

/// A request, and where its answer goes.
#[derive(Debug)]
pub(in crate::backend::transport) struct Asked {
    pub(super) message: Message,
    pub(super) answer: oneshot::Sender<Result<Message, CallError>>,
    pub(super) events: Option<EventSender>,
}

/// The pump's end: what callers want, and what it tells them of the child.
#[derive(Debug)]
pub(in crate::backend::transport) struct Orders {
    pub(super) taken: mpsc::UnboundedReceiver<Order>,
    pub(super) deaf: Arc<Latest>,
    pub(super) other_end: OtherEnd,
}
