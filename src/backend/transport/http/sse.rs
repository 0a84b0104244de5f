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
    task::{AbortHandle, JoinSet},
    time::timeout,
};

use super::{
    answer::finish,
    endpoint::Endpoint,
    exchange::{Says, get, post},
    pool::{Lease, Pool},
    session::Session,
    transport::Shared,
};
use crate::{
    backend::{
        CallError,
        transport::{
            ServerInfo,
            stdio::{Child, Pump},
            wire,
        },
    },
    protocol::{Kind, LineDecoder, Message, SseDecoder},
};

/// How long the first event may take.
const FIRST_EVENT: Duration = Duration::from_secs(5);
/// How long a message may take to be accepted.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(30);
/// What waits between the pump and the connection, in bytes.
const PIPE: usize = 64 << 10;

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
        let mut events = SseDecoder::new(self.backend.max_message_size);
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
        let (child, orders) = Child::new();
        let outlet = (self.outlet.clone(), child.replies());
        let mut pump = Pump::new(orders, outlet, self.backend.max_message_size);
        let reason = Reason::default();
        let reading = tokio::spawn(read(lease, events, heard, Arc::clone(&reason)));
        let posts = Posts {
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

/// Hands on each message of the stream as a line, until the stream or whoever reads ends.
async fn read(mut lease: Lease, mut events: SseDecoder, mut heard: DuplexStream, reason: Reason) {
    loop {
        for event in events.by_ref().flatten() {
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
        match lease.piece().await {
            Ok(Some(piece)) => events.push(&piece),
            Ok(None) => return,
            Err(broken) => {
                let _ = reason.set(format!("its event stream broke off: {broken}").into());
                return;
            }
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
    /// A message that is not accepted ends the stream, since nobody can say whether it was heard.
    async fn post(&self, message: &Message) {
        if let Err(error) = self.try_post(message).await {
            let _ = self.reason.set(error);
            self.reading.abort();
        }
    }

    async fn try_post(&self, message: &Message) -> Result<(), Box<str>> {
        let mut edit = message.edit();
        let request = post(&self.address, Says::default(), edit.pieces());
        let posted = timeout(ACCEPT_TIMEOUT, async {
            let sent = self.pool.send(&request).await;
            let (head, lease) = sent.map_err(|error| CallError::from(error).to_string())?;
            finish(lease).await;
            if head.status.is_success() {
                return Ok(());
            }
            let number = head.status.as_u16();
            Err(format!("it answered HTTP {number} to a message").into())
        });
        posted
            .await
            .unwrap_or_else(|_| Err("it did not accept a message in time".into()))
    }
}

impl Endpoint {
    /// The same endpoint at another address of the same server; nothing for one of another server, who would get the
    /// credentials of this one.
    fn beside(&self, address: &str) -> Option<Self> {
        let uri: Uri = address.parse().ok()?;
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
        assert_eq!(path("not an address"), None);
    }

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(line(b"{\n\"a\":1}"), b"{ \"a\":1}\n");
        assert_eq!(line(b""), b"\n");
    }
}
