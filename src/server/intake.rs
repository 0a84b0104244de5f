//! The body of a request: whole, within its size and its time.

use std::{
    fmt::Display,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Request, Version, header};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::settings::LimitSettings;
use crate::gateway::Refusal;

/// What is set aside at once for a body that announces its length; it may be lying.
const FIRST_CAPACITY: usize = 1 << 20;

/// A body that was taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) body: Bytes,
    /// Whether it was not there with its head, so that its sender was waited for.
    pub(super) late: bool,
}

/// Takes the body. One that came in a piece is not copied.
pub(super) async fn take(
    request: Request<Incoming>,
    limits: &LimitSettings,
) -> Result<Taken, Refusal> {
    let asks_first = request.headers().contains_key(header::EXPECT);
    let drain = request.version() <= Version::HTTP_11 && !asks_first;
    let mut body = request.into_body();
    let taken = read(&mut body, limits.max_body_size, limits.body_timeout).await;
    if drain && matches!(taken, Err(Refusal::BodyTooLarge(_))) {
        tokio::spawn(discard(body, limits.body_timeout));
    }
    taken
}

/// Reads on without keeping anything: a peer that is still sending reads our answer only when it is done, and a
/// socket closed before that takes the answer with it.
async fn discard(mut body: Incoming, patience: Duration) {
    let _ = timeout(patience, async {
        while let Some(Ok(_)) = body.frame().await {}
    })
    .await;
}

async fn read<B>(body: &mut B, limit: usize, patience: Duration) -> Result<Taken, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let mut whole = pin!(collect(body, limit));
    if let Poll::Ready(done) = look_twice(whole.as_mut()).await {
        return done.map(|body| Taken { body, late: false });
    }
    let in_time = timeout(patience, whole).await;
    let body = in_time.unwrap_or(Err(Refusal::BodyTimeout(patience)))?;
    Ok(Taken { body, late: true })
}

/// A body that came with its head is there at the second look, which the first one asks for: so most requests are
/// done here, and no timer is set for them.
async fn look_twice<F: Future>(mut whole: Pin<&mut F>) -> Poll<F::Output> {
    let mut first = true;
    poll_fn(|context| match whole.as_mut().poll(context) {
        Poll::Pending if std::mem::take(&mut first) => {
            context.waker().wake_by_ref();
            Poll::Pending
        }
        looked => Poll::Ready(looked),
    })
    .await
}

async fn collect<B>(body: &mut B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > limit {
        return Err(Refusal::BodyTooLarge(limit));
    }
    let first = next(body).await?.unwrap_or_default();
    if body.is_end_stream() && first.len() <= limit {
        return Ok(first);
    }
    let mut whole =
        BytesMut::with_capacity(announced.clamp(first.len(), FIRST_CAPACITY.max(first.len())));
    whole.extend_from_slice(&first);
    while whole.len() <= limit {
        match next(body).await? {
            Some(piece) => whole.extend_from_slice(&piece),
            None => return Ok(whole.freeze()),
        }
    }
    Err(Refusal::BodyTooLarge(limit))
}

async fn next<B>(body: &mut B) -> Result<Option<Bytes>, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let reason = format!(
                "The body broke off: {error}. Nothing was done with it. Send it again, whole."
            );
            Refusal::InvalidRequest(reason.into())
        })?;
        if let Ok(piece) = frame.into_data() {
            return Ok(Some(piece));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::{collections::VecDeque, task::Context};

    use http_body::{Frame, SizeHint};
    use http_body_util::Full;

    use super::*;

    /// A body in pieces; with none left it either ends or hangs.
    struct Pieces {
        left: VecDeque<Result<&'static str, &'static str>>,
        hangs: bool,
        announced: u64,
    }

    impl Body for Pieces {
        type Data = Bytes;
        type Error = &'static str;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
            match self.left.pop_front() {
                Some(piece) => Poll::Ready(Some(piece.map(|text| Frame::data(Bytes::from(text))))),
                None if self.hangs => Poll::Pending,
                None => Poll::Ready(None),
            }
        }

        fn size_hint(&self) -> SizeHint {
            let mut hint = SizeHint::new();
            hint.set_lower(self.announced);
            hint
        }
    }

    fn pieces(texts: &[&'static str]) -> Pieces {
        Pieces {
            left: texts.iter().map(|text| Ok(*text)).collect(),
            hangs: false,
            announced: 0,
        }
    }

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_body_in_one_piece_is_handed_on_without_a_copy() {
        let sent = Bytes::from(vec![b'x'; 100]);
        let taken = read(&mut Full::new(sent.clone()), 100, PATIENCE)
            .await
            .unwrap();
        assert_eq!(taken.body.as_ptr(), sent.as_ptr());
        assert!(!taken.late);
    }

    #[tokio::test]
    async fn pieces_are_joined_up_to_the_limit_and_not_a_byte_further() {
        assert_eq!(
            read(&mut pieces(&["ab", "", "cd"]), 4, PATIENCE)
                .await
                .unwrap()
                .body,
            "abcd"
        );
        let nothing = read(&mut pieces(&[]), 4, PATIENCE).await.unwrap();
        assert_eq!(nothing.body, "");
        for long in [&["ab", "cd", "e"][..], &["abcde"], &["abcd", "", "", "e"]] {
            let refused = read(&mut pieces(long), 4, PATIENCE).await;
            assert_eq!(refused, Err(Refusal::BodyTooLarge(4)));
        }
    }

    #[tokio::test]
    async fn a_length_over_the_limit_is_refused_before_a_byte_is_read() {
        let mut body = Pieces {
            announced: 5,
            ..pieces(&["abcde"])
        };
        assert_eq!(
            read(&mut body, 4, PATIENCE).await,
            Err(Refusal::BodyTooLarge(4))
        );
        assert_eq!(body.left.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_in_the_middle_is_given_up_in_time() {
        let mut body = Pieces {
            hangs: true,
            ..pieces(&["ab"])
        };
        assert_eq!(
            read(&mut body, 4, PATIENCE).await,
            Err(Refusal::BodyTimeout(PATIENCE))
        );
    }

    #[tokio::test]
    async fn a_body_that_breaks_says_so() {
        let mut body = pieces(&["ab"]);
        body.left.push_back(Err("reset"));
        let refused = read(&mut body, 4, PATIENCE).await;
        assert!(
            matches!(&refused, Err(Refusal::InvalidRequest(reason)) if reason.contains("reset")),
            "{refused:?}"
        );
    }
}
