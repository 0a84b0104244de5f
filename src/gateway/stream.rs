//! A stream made step by step: each message is the end of a small future.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;

use super::inbound::{EventStream, Sent};

/// Calls `step` with `state`, sends the message it gives, and goes on with the state it gives, until it gives none.
/// Dropping the stream drops the step under way.
pub(super) fn step_by_step<S, F, N, M>(state: S, mut step: F) -> Box<dyn EventStream>
where
    F: FnMut(S) -> N + Send + Unpin + 'static,
    N: Future<Output = Option<(M, S)>> + Send + 'static,
    M: Into<Sent> + 'static,
    S: 'static,
{
    let next = Some(Box::pin(step(state)));
    Box::new(Steps { step, next })
}

/// The next message of a stream, once there is one; none at its end.
pub async fn next_message(stream: &mut Pin<Box<dyn EventStream>>) -> Option<Bytes> {
    let next = poll_fn(|context| stream.as_mut().poll_next(context)).await;
    next.map(|sent| sent.message)
}

struct Steps<F, N> {
    step: F,
    next: Option<Pin<Box<N>>>,
}

impl<S, F, N, M> EventStream for Steps<F, N>
where
    F: FnMut(S) -> N + Send + Unpin,
    N: Future<Output = Option<(M, S)>> + Send,
    M: Into<Sent>,
{
    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Sent>> {
        let steps = self.get_mut();
        let Some(next) = steps.next.as_mut() else {
            return Poll::Ready(None);
        };
        let Some((message, state)) = std::task::ready!(next.as_mut().poll(context)) else {
            steps.next = None;
            return Poll::Ready(None);
        };
        next.set((steps.step)(state));
        Poll::Ready(Some(message.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_stream_gives_what_each_step_gives_and_then_ends() {
        let mut stream = Box::into_pin(step_by_step(0_u8, |count| async move {
            (count < 2).then(|| (Bytes::copy_from_slice(&[count]), count + 1))
        }));
        assert_eq!(next_message(&mut stream).await.unwrap()[..], [0]);
        assert_eq!(next_message(&mut stream).await.unwrap()[..], [1]);
        assert!(next_message(&mut stream).await.is_none());
        assert!(next_message(&mut stream).await.is_none());
    }
}
