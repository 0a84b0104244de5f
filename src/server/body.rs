//! What goes out: one piece, or events as they come, with a comment now and then so that nobody in between hangs up.

use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep};
use tracing::Span;

use super::{access::AccessLine, door::Peer};
use crate::{
    gateway::{EventStream, Sent},
    protocol::encode_sse,
    telemetry::OpenSpan,
};

/// A line that readers of an event stream skip (HTML standard, section 9.2.6).
const COMMENT: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// The body of an answer.
pub(super) enum Content {
    /// One piece.
    Whole(Bytes),
    /// Events as they come.
    Events(Box<Events>),
}

/// The body of an answer that is on its way: while it lives, its connection has a request open.
pub(super) struct Outgoing {
    content: Content,
    _open: Arc<Peer>,
    _span: Option<OpenSpan>,
    line: Option<Box<AccessLine>>,
}

/// An event stream on its way to a client.
pub(super) struct Events {
    stream: Pin<Box<dyn EventStream>>,
    silence: Pin<Box<Sleep>>,
    interval: Duration,
    first: Option<Bytes>,
    end: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    span: Span,
}

impl Events {
    /// Sends `stream`, with a comment after every `interval` of silence. What happens in it belongs to the span of now.
    pub(super) fn new(stream: Box<dyn EventStream>, interval: Duration) -> Self {
        Self {
            stream: Box::into_pin(stream),
            silence: Box::pin(sleep(interval)),
            interval,
            first: None,
            end: None,
            span: Span::current(),
        }
    }

    /// Sends this before anything else, as it is.
    pub(super) fn beginning_with(mut self, first: Bytes) -> Self {
        self.first = Some(first);
        self
    }

    /// Ends the stream when `end` is reached, whatever may still come.
    pub(super) fn until(mut self, end: impl Future<Output = ()> + Send + 'static) -> Self {
        self.end = Some(Box::pin(end));
        self
    }

    fn poll_event(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        if let Some(end) = &mut self.end
            && end.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(None);
        }
        let _entered = self.span.enter();
        let event = match self.stream.as_mut().poll_next(context) {
            Poll::Ready(message) => message.map(|sent| written(&sent)),
            Poll::Pending if self.silence.as_mut().poll(context).is_ready() => Some(COMMENT),
            Poll::Pending => return Poll::Pending,
        };
        self.silence.as_mut().reset(Instant::now() + self.interval);
        Poll::Ready(event)
    }
}

fn written(sent: &Sent) -> Bytes {
    encode_sse(&sent.message, sent.id.as_deref())
}

impl Outgoing {
    pub(super) const fn new(content: Content, open: Arc<Peer>) -> Self {
        Self {
            content,
            _open: open,
            _span: None,
            line: None,
        }
    }

    /// The line of the access log is written when the answer has ended.
    pub(super) fn logged(self, line: Option<Box<AccessLine>>) -> Self {
        Self { line, ..self }
    }

    /// The span ends when the answer does.
    pub(super) fn within(self, span: Option<OpenSpan>) -> Self {
        Self {
            _span: span,
            ..self
        }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = match &mut self.content {
            Content::Whole(bytes) if bytes.is_empty() => None,
            Content::Whole(bytes) => Some(std::mem::take(bytes)),
            Content::Events(events) => match events.poll_event(context) {
                Poll::Ready(event) => event,
                Poll::Pending => return Poll::Pending,
            },
        };
        if let (Some(line), Some(bytes)) = (&mut self.line, &piece) {
            line.sent(bytes.len());
        }
        Poll::Ready(piece.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Events(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::sync::mpsc;

    use super::*;

    struct Channel(mpsc::Receiver<Bytes>);

    impl EventStream for Channel {
        fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Sent>> {
            self.0.poll_recv(context).map(|next| next.map(Into::into))
        }
    }

    fn channel() -> (mpsc::Sender<Bytes>, Events) {
        let (sender, receiver) = mpsc::channel(4);
        let events = Events::new(Box::new(Channel(receiver)), Duration::from_secs(15));
        (sender, events)
    }

    async fn next(events: &mut Events) -> Option<Bytes> {
        poll_fn(|context| events.poll_event(context)).await
    }

    #[tokio::test(start_paused = true)]
    async fn messages_come_as_events_and_silence_as_comments() {
        let (sender, mut events) = channel();
        sender.send(Bytes::from_static(b"{}")).await.unwrap();
        assert_eq!(next(&mut events).await, Some(encode_sse(b"{}", None)));
        let before = Instant::now();
        assert_eq!(next(&mut events).await, Some(COMMENT));
        assert_eq!(next(&mut events).await, Some(COMMENT));
        assert_eq!(before.elapsed(), Duration::from_secs(30));
        drop(sender);
        assert_eq!(next(&mut events).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_ends_when_it_is_told_to_although_more_may_come() {
        let (sender, events) = channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut events = events.until(async { drop(stopped.await) });
        assert_eq!(next(&mut events).await, Some(COMMENT));
        stop.send(()).unwrap();
        assert_eq!(next(&mut events).await, None);
        assert!(!sender.is_closed());
    }
}
