//! Reads the response to one POST: a status, a JSON body or an event stream, and in it the answer that was waited for.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use tokio::time::timeout;

use super::{connection::Unread, head::Head, pool::Lease, session::says_lost};
use crate::{
    backend::{
        BackendSettings, CallError,
        transport::{bound::Bound, wire},
    },
    protocol::{EventTooLarge, Kind, Message, SseDecoder, codes},
};

/// What is read of an error body, in bytes: enough for a JSON-RPC error with its data.
const ERROR_BODY: usize = 64 << 10;
/// An answer of this length, in bytes, takes longer to scan than to compare with the last one.
const LONG: usize = 4 << 10;
/// How long a stream that has given its answer may take to end, so that its connection can be used again.
const TAIL: Duration = Duration::from_secs(1);
/// The pause after the first refusal to go on with a stream is twice this; it doubles with each, up to the longest.
const FIRST_REFUSED: Duration = Duration::from_millis(500);
const LONGEST_REFUSED: Duration = Duration::from_secs(30);
/// The wait after a 429 that names none.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// One response being read.
pub(super) struct Reading<'a> {
    /// Our id of the request that is answered.
    pub(super) serial: u64,
    /// Whether the request named a session, which the backend may have forgotten.
    pub(super) in_session: bool,
    pub(super) settings: &'a BackendSettings,
    pub(super) bound: &'a Bound,
    /// The last long answer that a list was read from: most often the next one is the same.
    pub(super) known: Option<&'a ArcSwapOption<Message>>,
    /// Takes what comes before the answer: notifications, and requests to the client.
    pub(super) aside: &'a (dyn Fn(Message) + Send + Sync),
}

/// What came of a response.
#[derive(Debug)]
pub(super) enum Read {
    Answer(Message),
    /// The backend has closed its stream, and goes on behind its last event where the session's stream is opened again
    /// (MCP 2025-11-25, basic/transports, sending messages to the server).
    ToBeResumed(Resumption),
}

/// Where a stream goes on.
#[derive(Debug, Default)]
pub(super) struct Resumption {
    pub(super) last_event: Option<Box<str>>,
    /// How long the backend asks to be left alone before.
    pub(super) retry: Option<Duration>,
    /// Whether it has said anything on the stream.
    has_run: bool,
}

impl Reading<'_> {
    /// Waits for the answer in the response that begins with `head`.
    pub(super) async fn answer(&self, head: &Head, lease: Lease) -> Result<Message, CallError> {
        match self.read_response(head, lease).await? {
            Read::Answer(answer) => Ok(answer),
            Read::ToBeResumed(_) => Err(ended()),
        }
    }

    /// Goes on reading in the stream that begins with `head`.
    pub(super) async fn resumed(
        &self,
        head: &Head,
        lease: Lease,
        from: Resumption,
    ) -> Result<Read, CallError> {
        match head.status {
            StatusCode::OK if head.is_stream => self.streamed(lease, from).await,
            // The old stream may still count as open, or there is no room for the new one.
            StatusCode::CONFLICT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE => {
                let longer = from.retry.unwrap_or(FIRST_REFUSED) * 2;
                let retry = head.retry_after.unwrap_or(longer.min(LONGEST_REFUSED));
                Ok(Read::ToBeResumed(Resumption {
                    retry: Some(retry),
                    ..from
                }))
            }
            _ => Err(ended()),
        }
    }

    /// The answer in the response that begins with `head`, or where it is to be looked for.
    pub(super) async fn read_response(
        &self,
        head: &Head,
        mut lease: Lease,
    ) -> Result<Read, CallError> {
        let answer = match head.status {
            StatusCode::OK if head.is_stream => {
                return self.streamed(lease, Resumption::default()).await;
            }
            StatusCode::OK => self.message(self.whole(&mut lease).await?)?,
            _ => self.refused(head, &mut lease).await?,
        };
        lease.give_back();
        self.unless_lost(answer).map(Read::Answer)
    }

    async fn whole(&self, lease: &mut Lease) -> Result<Bytes, CallError> {
        let limit = self.bound.most;
        lease.whole(limit).await.map_err(|unread| match unread {
            Unread::Broken(reason) => broke_off(&reason),
            Unread::TooLong => {
                let what = format!("its answer is longer than {limit} bytes.");
                CallError::protocol(wire::too_long(what))
            }
        })
    }

    fn message(&self, bytes: Bytes) -> Result<Message, CallError> {
        let message = self.read(bytes)?;
        if self.is_answer(&message) || self.says_lost(&message) {
            return Ok(message);
        }
        Err(CallError::protocol(
            "its answer does not bear the id of the request",
        ))
    }

    fn read(&self, bytes: Bytes) -> Result<Message, CallError> {
        let known = self.known.filter(|_| bytes.len() >= LONG);
        if let Some(known) = known
            && let Some(earlier) = &*known.load()
            && let Some(again) = Message::again(earlier, &bytes)
        {
            return Ok(again);
        }
        let message = Message::parse(bytes)
            .map_err(|malformed| CallError::protocol(malformed.fault().to_string()))?;
        if let Some(known) = known {
            known.store(Some(Arc::new(message.clone())));
        }
        Ok(message)
    }

    /// A response with our id, or an error of a backend that could not read the id.
    fn is_answer(&self, message: &Message) -> bool {
        let nameless = || message.error().is_some() && message.id() == Some(b"null");
        message.kind() == Kind::Response && (self.is_ours(message) || nameless())
    }

    fn is_ours(&self, message: &Message) -> bool {
        message.id().is_some_and(|id| self.is_our_id(id))
    }

    fn is_our_id(&self, id: &[u8]) -> bool {
        let id = std::str::from_utf8(id).ok();
        id.and_then(|id| id.parse().ok()) == Some(self.serial)
    }

    /// An error that says which other thing than the session is not there. In whatever words: a 404 without it is about
    /// the session (MCP 2025-11-25, basic/transports, session management).
    fn tells_what(&self, answer: &Message) -> bool {
        let missing = [
            codes::METHOD_NOT_FOUND,
            codes::INVALID_PARAMS,
            codes::RESOURCE_NOT_FOUND,
        ];
        self.is_ours(answer)
            && answer
                .error_code()
                .is_some_and(|code| missing.contains(&code))
    }

    fn says_lost(&self, message: &Message) -> bool {
        self.in_session && says_lost(message)
    }

    fn unless_lost(&self, answer: Message) -> Result<Message, CallError> {
        if self.says_lost(&answer) {
            Err(CallError::SessionLost)
        } else {
            Ok(answer)
        }
    }

    /// A backend that has said something on the call's stream knows the session: what follows is the call's own answer.
    async fn streamed(&self, mut lease: Lease, mut from: Resumption) -> Result<Read, CallError> {
        let mut events = self.bound.events();
        while let Some(piece) = lease.piece().await.map_err(|reason| broke_off(&reason))? {
            events.push(&piece);
            if let Some(answer) = self.next_answer(&mut events, &mut from)? {
                lease.skip();
                if lease.is_at_rest() {
                    lease.give_back();
                } else {
                    tokio::spawn(finish(lease));
                }
                let has_run = from.has_run;
                let answer = if has_run {
                    Ok(answer)
                } else {
                    self.unless_lost(answer)
                };
                return answer.map(Read::Answer);
            }
        }
        if from.last_event.is_none() {
            return Err(ended());
        }
        Ok(Read::ToBeResumed(from))
    }

    /// The answer among the events that have come so far; what is not the answer goes aside.
    fn next_answer(
        &self,
        events: &mut SseDecoder,
        from: &mut Resumption,
    ) -> Result<Option<Message>, CallError> {
        for event in events.by_ref() {
            let event = match event {
                Ok(event) => event,
                Err(too_large) => {
                    self.missed(&too_large)?;
                    continue;
                }
            };
            from.last_event = event.id.or(from.last_event.take());
            from.retry = event.retry.or(from.retry);
            let of_another_type = event.event.is_some_and(|event| &*event != "message");
            if event.data.is_empty() || of_another_type {
                continue;
            }
            let message = Message::parse(event.data)
                .map_err(|malformed| CallError::protocol(malformed.fault().to_string()))?;
            if message.kind() != Kind::Response {
                from.has_run = true;
                (self.aside)(message);
            } else if self.is_answer(&message) {
                return Ok(Some(message));
            }
        }
        Ok(None)
    }

    /// An event that is too long to be heard: an error if it may be the answer.
    fn missed(&self, event: &EventTooLarge) -> Result<(), CallError> {
        let is_ours = event.id.as_deref().is_none_or(|id| self.is_our_id(id));
        if event.may_answer && is_ours {
            return Err(CallError::protocol(wire::too_long(event)));
        }
        self.bound.lost(event);
        Ok(())
    }

    /// The answer in an error response, if it has one: a JSON-RPC error in a 4xx is an answer of a healthy backend.
    async fn refused(&self, head: &Head, lease: &mut Lease) -> Result<Message, CallError> {
        let Head {
            status,
            retry_after,
            ..
        } = *head;
        let number = status.as_u16();
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                let retry_after = retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
                return Err(CallError::Throttled { retry_after });
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let headers = self.settings.header_names();
                return Err(CallError::Denied {
                    status: number,
                    headers,
                });
            }
            _ => {}
        }
        let text = beginning(lease).await;
        let answer = Message::parse(text.clone())
            .ok()
            .filter(|message| message.error().is_some());
        let forgotten = self.in_session && status == StatusCode::NOT_FOUND;
        match answer {
            Some(answer) if self.says_lost(&answer) => Err(CallError::SessionLost),
            _ if forgotten && !answer.as_ref().is_some_and(|it| self.tells_what(it)) => {
                Err(CallError::SessionLost)
            }
            Some(answer) if status.is_client_error() && self.is_answer(&answer) => Ok(answer),
            _ if status.is_client_error() || status.is_server_error() => Err(CallError::Http {
                status: number,
                excerpt: self.settings.excerpt(&String::from_utf8_lossy(&text)),
                retry_after,
            }),
            _ => Err(CallError::protocol(format!(
                "it answered HTTP {number} to a request"
            ))),
        }
    }
}

/// Reads a body of which nothing more is needed to its end, so that its connection can be used again.
pub(super) async fn finish(mut lease: Lease) {
    let ended = timeout(TAIL, async {
        while let Ok(Some(_)) = lease.piece().await {}
    })
    .await;
    if ended.is_ok() {
        lease.give_back();
    }
}

/// The first [`ERROR_BODY`] bytes of a body, or what came of them.
async fn beginning(lease: &mut Lease) -> Bytes {
    let mut text = BytesMut::new();
    while let Ok(Some(piece)) = lease.piece().await {
        let room = ERROR_BODY - text.len();
        text.extend_from_slice(&piece[..room.min(piece.len())]);
        if text.len() == ERROR_BODY {
            break;
        }
    }
    text.freeze()
}

pub(super) fn ended() -> CallError {
    CallError::lost("its event stream ended without an answer")
}

fn broke_off(reason: &str) -> CallError {
    CallError::lost(format!("its answer broke off: {reason}"))
}
