//! A call under way, and what becomes of it when its client goes away.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::runtime::Handle;

use super::inbound::Reply;

/// A call under way; it gives no reply if the client cancels it.
///
/// Up to revision 2025-11-25 a client that disconnects has not cancelled (basic/transports, Sending Messages to the
/// Server): the call of a session goes on to its end or its deadline. Its answer is lost, unless its stream had begun, which is kept. A call without a session
/// has nobody but its connection who could cancel it, and ends with it.
pub(super) struct Underway {
    call: Option<Pin<Box<dyn Future<Output = Option<Reply>> + Send>>>,
    outlives_client: bool,
}

impl Underway {
    /// Puts a call on the heap, once for all that wait for it.
    pub(super) fn new(
        call: impl Future<Output = Option<Reply>> + Send + 'static,
        outlives_client: bool,
    ) -> Self {
        Self {
            call: Some(Box::pin(call)),
            outlives_client,
        }
    }
}

impl Future for Underway {
    type Output = Option<Reply>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = &mut self.call else {
            return Poll::Ready(None);
        };
        let reply = ready!(call.as_mut().poll(context));
        self.call = None;
        Poll::Ready(reply)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if let (true, Some(call), Ok(runtime)) = (
            self.outlives_client,
            self.call.take(),
            Handle::try_current(),
        ) {
            runtime.spawn(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_call_that_outlives_its_client_goes_on_and_any_other_ends() {
        for outlives_client in [true, false] {
            let (go_on, told) = oneshot::channel::<()>();
            let (finished, watched) = oneshot::channel();
            let call = async move {
                let _ = told.await;
                let _ = finished.send(());
                None
            };
            drop(Underway::new(call, outlives_client));
            let _ = go_on.send(());
            assert_eq!(watched.await.is_ok(), outlives_client);
        }
    }
}
