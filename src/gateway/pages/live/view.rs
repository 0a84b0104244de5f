//! What one viewer sees, as it comes.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::picture::Picture;
use crate::gateway::{Caller, EventStream, Sent};

/// Messages that wait for a viewer; one that is slower than this loses its stream, and begins anew with the next.
const UNREAD: usize = 8;

/// Messages of the live page as JSON, one after another. The first says everything, the others what is new.
pub struct View(mpsc::Receiver<Bytes>);

/// Where a viewer's messages are put.
pub(super) struct Viewer {
    caller: Arc<Caller>,
    out: mpsc::Sender<Bytes>,
}

impl Viewer {
    pub(super) fn new(caller: Arc<Caller>) -> (Self, View) {
        let (out, unread) = mpsc::channel(UNREAD);
        (Self { caller, out }, View(unread))
    }

    /// Everything that is known. False if the viewer has gone.
    pub(super) fn begin(&self, picture: &Picture) -> bool {
        self.out.try_send(picture.for_caller(&self.caller)).is_ok()
    }

    /// What is new, which is `whole` for who may see everything. False if the viewer has gone or does not read.
    pub(super) fn show(&self, picture: &Picture, whole: &Bytes) -> bool {
        let shown = match self.caller.backends {
            None => whole.clone(),
            Some(_) => picture.for_caller(&self.caller),
        };
        self.out.try_send(shown).is_ok()
    }

    pub(super) fn is_gone(&self) -> bool {
        self.out.is_closed()
    }
}

impl EventStream for View {
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Sent>> {
        self.0.poll_recv(context).map(|next| next.map(Into::into))
    }
}
