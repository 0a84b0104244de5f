//! One connection: HTTP/1.1 or HTTP/2, bounded in what it may send and in how long it may be silent.
//!
//! One timer watches the connection, not each request: the first request must be there within the head's time, and
//! after that a connection without a request for a whole idle time is closed. A head that trickles in is silence.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{net::TcpStream, runtime::Handle, sync::oneshot, task::JoinHandle, time::sleep};
use tracing::debug;

use super::{
    door::{Door, Peer},
    phase::{Phase, reached},
    settings::LimitSettings,
    visit,
};
use crate::lockfree::Counter;

/// The least that hyper takes as the size of its read buffer, which a head has to fit into.
const LEAST_BUFFER: usize = 8 << 10;
/// Requests at once on one HTTP/2 connection.
const MAX_STREAMS: u32 = 250;
/// How often a silent HTTP/2 peer is asked whether it is still there, and how long it may take to say so.
const PING_INTERVAL: Duration = Duration::from_secs(30);

/// How many references a connection without an open request has: its service's, and that of whoever attends it.
const AT_REST: usize = 2;

/// Serves a connection in tasks of its own on this runtime. What it holds is let go when it ends.
///
/// What bounds it runs beside it, so that nothing but the connection itself is looked at for each of its requests.
pub(super) fn open(
    stream: std::net::TcpStream,
    door: Arc<Door>,
    held: impl Send + 'static,
    runtime: &Handle,
) {
    let peer = Arc::new(Peer {
        door,
        requests: Counter::new(),
    });
    let (leave, leaving) = oneshot::channel();
    let served = Arc::clone(&peer);
    let connection = runtime.spawn(async move {
        match TcpStream::from_std(stream) {
            Ok(stream) => serve(stream, served, leaving).await,
            Err(error) => debug!(%error, "Connection gone before it was served"),
        }
        drop(held);
    });
    runtime.spawn(attend(connection, leave, peer));
}

async fn serve(stream: TcpStream, peer: Arc<Peer>, leaving: oneshot::Receiver<()>) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "Connection without TCP_NODELAY");
    }
    let door = Arc::clone(&peer.door);
    let service = service_fn(move |request| {
        let peer = Arc::clone(&peer);
        async move { Ok::<_, Infallible>(visit::answer(peer, request).await) }
    });
    let mut connection = pin!(door.http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        _ = leaving => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "Connection ended early");
    }
}

/// Lets a connection go when it has been silent for too long, or when the server stops: first by asking it to finish
/// what it has begun, then by cutting it. One that never asked for anything has nothing to finish.
async fn attend(mut connection: JoinHandle<()>, leave: oneshot::Sender<()>, peer: Arc<Peer>) {
    tokio::select! {
        _ = &mut connection => return,
        () = silence(&peer) => {}
        () = reached(peer.door.phase.clone(), Phase::Draining) => {}
    }
    if peer.requests.total() > 0 {
        let _ = leave.send(());
        tokio::select! {
            _ = &mut connection => return,
            () = silence(&peer) => {}
            () = reached(peer.door.phase.clone(), Phase::Cut) => {}
        }
    }
    connection.abort();
}

/// Resolves when there was no first request in time, or when no request was open or begun for a whole idle time.
async fn silence(peer: &Arc<Peer>) {
    let limits = peer.door.rules.now().limits.clone();
    if peer.requests.total() == 0 {
        sleep(limits.head_timeout).await;
    }
    let mut seen = 0;
    while peer.requests.total() != seen || Arc::strong_count(peer) > AT_REST {
        seen = peer.requests.total();
        sleep(limits.idle_timeout).await;
    }
}

/// The HTTP settings of every connection.
pub(super) fn http(limits: &LimitSettings) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .max_buf_size(limits.max_head_size.max(LEAST_BUFFER))
        .header_read_timeout(None);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_INTERVAL)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(limits.max_head_size).unwrap_or(u32::MAX));
    builder
}
