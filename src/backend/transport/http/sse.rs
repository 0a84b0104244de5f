//! The transport of revision 2024-11-05: one event stream on which everything comes, and the address that its first event
//! names, to which everything is posted (MCP 2024-11-05, basic/transports, HTTP with SSE).
//!
//! That is a pair of pipes like a child's, and is driven by the same pump.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::{StatusCode, Uri};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::{
    answer::finish,
    endpoint::Endpoint,
    exchange::{Says, SendError, get, post},
    pool::{Lease, Pool},
    session::Session,
    transport::Shared,
};
use crate::{
    backend::{
        CallError,
        transport::{
            ServerInfo,
            bound::Bound,
            stdio::{Child, Order, OtherEnd, Pump},
            wire,
        },
    },
    protocol::{EventTooLarge, Kind, LineDecoder, Message, SseDecoder, codes},
};

/// How long the first event may take.
const FIRST_EVENT: Duration = Duration::from_secs(5);
/// How long a message may take to be accepted.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(30);
/// What waits between the pump and the connection, in bytes.
const PIPE: usize = 64 << 10;

/// Refusals that wait to be handed on.
const REFUSALS: usize = 64;

/// What goes wrong first, as a sentence.
type Reason = Arc<OnceLock<Box<str>>>;

impl Shared {
    /// Opens the stream of a server of that revision; nothing if there is none at the URL.
    pub(super) async fn open_stream(self: &Arc<Self>) -> Result<Option<Arc<Session>>, CallError> {
        let request = get(self.pool.endpoint(), None, None);
        let (head, mut lease) = self.pool.send(&request).await?;
        if head.status != StatusCode::OK || !head.is_stream {
            return Ok(None);
        }
        let mut events = self.bound.events();
        let named = timeout(FIRST_EVENT, named(&mut lease, &mut events)).await;
        let Ok(Some(address)) = named else {
            return Ok(None);
        };
        let address = self.pool.endpoint().beside(&address).ok_or_else(|| {
            CallError::protocol("its first event names an address on another host to post to, where nothing of yours is sent")
        })?;
        let child = self.connect_pipes(lease, events, address);
        let initialize = self.outlet.initialize(self.backend.revision);
        let answer = child.request(&initialize, None).await?;
        let info = Arc::new(ServerInfo::from_answer(&answer, &self.backend)?);
        child.notify(&wire::initialized())?;
        Ok(Some(Arc::new(Session::of_stream(child, info))))
    }

    /// The pump, with the stream as what it reads and POSTs as what it writes.
    fn connect_pipes(
        self: &Arc<Self>,
        lease: Lease,
        events: SseDecoder,
        address: Endpoint,
    ) -> Child {
        let (mut stdout, heard) = duplex(PIPE);
        let (mut stdin, said) = duplex(PIPE);
        let (child, orders) = Child::new(OtherEnd::Stream);
        let outlet = (self.outlet.clone(), child.replies());
        let mut pump = Pump::new(orders, outlet, Arc::clone(&self.bound));
        let reason = Reason::default();
        let (refusals, refused) = mpsc::channel(REFUSALS);
        let source = (lease, events, refused);
        let missed = Missed {
            orders: child.replies(),
            bound: Arc::clone(&self.bound),
        };
        let reading = tokio::spawn(read(source, heard, missed, Arc::clone(&reason)));
        let posts = Posts {
            refusals,
            pool: Arc::clone(&self.pool),
            address: Arc::new(address),
            reason: Arc::clone(&reason),
            reading: reading.abort_handle(),
        };
        let writing = tokio::spawn(write(posts, said));
        tokio::spawn(async move {
            pump.run(&mut stdout, &mut stdin).await;
            reading.abort();
            writing.abort();
            let reason = reason
                .get()
                .map_or("its event stream ended", |reason| reason);
            pump.fail_all(reason, &CallError::unreachable(reason));
        });
        child
    }
}

/// The address in the first event, if that is what the stream begins with.
async fn named(lease: &mut Lease, events: &mut SseDecoder) -> Option<String> {
    loop {
        if let Some(event) = events.next() {
            let event = event.ok()?;
            let is_it = event.event.as_deref() == Some("endpoint");
            return is_it.then(|| String::from_utf8_lossy(&event.data).trim().to_owned());
        }
        events.push(&lease.piece().await.ok()??);
    }
}

/// Hands on each message of the stream, and each refusal, as a line, until the stream or whoever reads ends.
async fn read(
    (mut lease, mut events, mut refused): (Lease, SseDecoder, mpsc::Receiver<Message>),
    mut heard: DuplexStream,
    missed: Missed,
    reason: Reason,
) {
    loop {
        for event in events.by_ref() {
            let event = match event {
                Ok(event) => event,
                Err(too_large) => {
                    missed.tell(too_large);
                    continue;
                }
            };
            let is_message = event
                .event
                .as_deref()
                .is_none_or(|event| event == "message");
            if is_message
                && !event.data.is_empty()
                && heard.write_all(&line(&event.data)).await.is_err()
            {
                return;
            }
        }
        let piece = tokio::select! {
            piece = lease.piece() => piece,
            Some(refusal) = refused.recv() => {
                if heard.write_all(&line(refusal.bytes())).await.is_err() {
                    return;
                }
                continue;
            }
        };
        match piece {
            Ok(Some(piece)) => events.push(&piece),
            Ok(None) => return,
            Err(broken) => {
                let _ = reason.set(format!("its event stream broke off: {broken}").into());
                return;
            }
        }
    }
}

/// Whom it is told that an event was too long to be heard.
struct Missed {
    orders: mpsc::WeakUnboundedSender<Order>,
    bound: Arc<Bound>,
}

impl Missed {
    /// The pump, which knows the call that waits for it; but no call waits for what is no answer.
    fn tell(&self, event: EventTooLarge) {
        if !event.may_answer {
            return self.bound.lost(event);
        }
        let missed = Order::Missed {
            what: event.to_string().into(),
            id: event.id,
        };
        if let Some(orders) = self.orders.upgrade() {
            let _ = orders.send(missed);
        }
    }
}

/// A line break inside a message can only be white space between JSON tokens.
fn line(data: &[u8]) -> Vec<u8> {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    let mut line: Vec<u8> = data
        .iter()
        .map(|byte| if is_break(byte) { b' ' } else { *byte })
        .collect();
    line.push(b'\n');
    line
}

/// How messages go out.
#[derive(Clone)]
struct Posts {
    pool: Arc<Pool>,
    address: Arc<Endpoint>,
    /// Where a refusal of one message goes, as the answer to it.
    refusals: mpsc::Sender<Message>,
    reason: Reason,
    reading: AbortHandle,
}

/// Posts each line that is said: requests side by side, a notification before what comes after it.
async fn write(posts: Posts, mut said: DuplexStream) {
    let mut lines = LineDecoder::new(usize::MAX);
    let mut requests = JoinSet::new();
    let mut chunk = Vec::with_capacity(PIPE);
    while let Ok(1..) = said.read_buf(&mut chunk).await {
        lines.push(&chunk);
        chunk.clear();
        for line in lines.by_ref().flatten() {
            let Ok(message) = Message::parse(line) else {
                continue;
            };
            while requests.try_join_next().is_some() {}
            if message.kind() == Kind::Request {
                let posts = posts.clone();
                requests.spawn(async move { posts.post(&message).await });
            } else {
                posts.post(&message).await;
            }
        }
    }
}

impl Posts {
    /// A message that was refused for what it is fails alone. One that may or may not have been heard ends the stream.
    async fn post(&self, message: &Message) {
        match timeout(ACCEPT_TIMEOUT, self.try_post(message)).await {
            Ok(Ok(StatusCode::NOT_FOUND | StatusCode::GONE)) => {
                self.give_up("it forgot the session");
            }
            Ok(Ok(status)) if status.is_client_error() => self.refuse(message, status).await,
            Ok(Ok(status)) if !status.is_success() => {
                self.give_up(&format!(
                    "it answered HTTP {} to a message",
                    status.as_u16()
                ));
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => self.give_up(&CallError::from(error).to_string()),
            Err(_) => self.give_up("it did not accept a message in time"),
        }
    }

    async fn try_post(&self, message: &Message) -> Result<StatusCode, SendError> {
        let mut edit = message.edit();
        let request = post(&self.address, Says::default(), edit.pieces());
        let (head, lease) = self.pool.send(&request).await?;
        finish(lease).await;
        Ok(head.status)
    }

    async fn refuse(&self, message: &Message, status: StatusCode) {
        let number = status.as_u16();
        tracing::debug!(status = number, "The backend refused a message");
        if message.kind() != Kind::Request {
            return;
        }
        let sentence = format!("the server refused this message with HTTP {number}");
        let id = message.id().unwrap_or(b"null");
        let refusal = Message::error_response(id, codes::INVALID_REQUEST, &sentence, None);
        let _ = self.refusals.send(refusal).await;
    }

    fn give_up(&self, reason: &str) {
        let _ = self.reason.set(reason.into());
        self.reading.abort();
    }
}

impl Endpoint {
    /// The same endpoint at another address of the same server; nothing for one of another server, who would get the
    /// credentials of this one.
    fn beside(&self, address: &str) -> Option<Self> {
        let is_whole = address.starts_with('/') || address.contains("://");
        let directory = self.path.path().rsplit_once('/')?.0;
        let resolved = match address {
            address if is_whole => address.to_owned(),
            query if query.starts_with('?') => [self.path.path(), query].concat(),
            beside => [directory, "/", beside].concat(),
        };
        let uri: Uri = resolved.parse().ok()?;
        if let Some(host) = uri.host() {
            let port = uri.port_u16().unwrap_or(if self.tls { 443 } else { 80 });
            let is_same = host
                .trim_matches(['[', ']'])
                .eq_ignore_ascii_case(&self.host);
            if !is_same || port != self.port {
                return None;
            }
        }
        Some(self.at(uri.path_and_query()?.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::HttpSettings;

    #[test]
    fn messages_are_posted_to_the_same_server_and_to_no_other() {
        let endpoint = Endpoint::new(&HttpSettings {
            url: "http://127.0.0.1:8080/sse".parse().unwrap(),
            headers: Vec::new(),
        });
        let path = |address: &str| {
            let there = endpoint.beside(address)?;
            Some(there.path.as_str().to_owned())
        };
        assert_eq!(path("/messages?id=1").as_deref(), Some("/messages?id=1"));
        assert_eq!(path("http://127.0.0.1:8080/m").as_deref(), Some("/m"));
        assert_eq!(path("http://127.0.0.1:8081/m"), None);
        assert_eq!(path("http://example.org:8080/m"), None);
        assert_eq!(path("messages?id=1").as_deref(), Some("/messages?id=1"));
        assert_eq!(path("?id=1").as_deref(), Some("/sse?id=1"));
        assert_eq!(path("not an address"), None);
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(line(b"{\n\"a\":1}"), b"{ \"a\":1}\n");
        assert_eq!(line(b""), b"\n");
    }
}
