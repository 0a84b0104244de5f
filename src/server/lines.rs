//! One client on a pair of byte streams: a message a line, both ways (MCP 2025-11-25 and 2026-07-28, basic/transports/stdio).

use std::{collections::HashMap, future::pending, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::{Instant, timeout_at},
};
use tracing::{Instrument, info_span};

use super::{auth::local, listen::BACKEND_GRACE, settings::ServerSettings};
use crate::{
    gateway::{Caller, Gateway, Inbound, Outbound, Refusal, Route, next_message},
    protocol::{Kind, LineDecoder, Message, encode_line},
    telemetry::RequestId,
};

/// Requests of the client that may be open at once, subscriptions included; more are refused.
const MOST_OPEN: usize = 1024;

/// Serves `/mcp` to one client until its `input` ends or `stop` resolves, and shuts the gateway down: calls in flight may
/// finish within the shutdown timeout, or until `stop` resolves where it was the input that ended. Nothing but JSON-RPC is
/// put into `output`.
///
/// Who can start this process and write to it may do everything, so there is no authentication.
pub async fn serve_lines(
    gateway: Arc<Gateway>,
    settings: &ServerSettings,
    streams: (mpsc::Receiver<Bytes>, mpsc::Sender<Bytes>),
    stop: impl Future<Output = ()>,
) {
    let (input, output) = streams;
    let mut client = Client {
        caller: Arc::new(local()),
        gateway: Arc::clone(&gateway),
        output,
        session: None,
        open: JoinSet::new(),
        by_id: HashMap::new(),
    };
    let mut stop = pin!(stop);
    let has_ended = tokio::select! {
        () = client.read(input, settings.limits.max_body_size) => true,
        () = &mut stop => false,
    };
    let cut = async move {
        if has_ended {
            stop.await;
        } else {
            pending::<()>().await;
        }
    };
    client.finish(settings.shutdown_timeout, cut).await;
    gateway.shutdown(Instant::now() + BACKEND_GRACE).await;
}

struct Client {
    gateway: Arc<Gateway>,
    caller: Arc<Caller>,
    output: mpsc::Sender<Bytes>,
    /// The session that `initialize` opened; clients of newer revisions have none.
    session: Option<Box<str>>,
    open: JoinSet<()>,
    by_id: HashMap<Bytes, AbortHandle>,
}

impl Client {
    async fn read(&mut self, mut input: mpsc::Receiver<Bytes>, longest: usize) {
        let mut lines = LineDecoder::new(longest);
        loop {
            let chunk = input.recv().await;
            let is_last = chunk.is_none();
            // The end of the input ends a line too.
            lines.push(&chunk.unwrap_or(Bytes::from_static(b"\n")));
            for line in lines.by_ref() {
                match line {
                    Ok(line) => self.line(line).await,
                    Err(long) => {
                        let refusal = Refusal::BodyTooLarge(longest);
                        let reply = refusal.reply(long.id.as_deref());
                        say(&self.output, &reply.body).await;
                    }
                }
                if self.output.is_closed() {
                    return;
                }
            }
            if is_last {
                return;
            }
        }
    }

    /// What opens a session or tells something is done before the next line is looked at; requests go on side by side.
    async fn line(&mut self, line: Bytes) {
        let message = Message::parse(line.clone()).ok();
        let kind = message.as_ref().map(Message::kind);
        let inbound = self.inbound(line);
        let is_opening = message.as_ref().and_then(Message::method) == Some("initialize");
        match message {
            Some(message) if kind == Some(Kind::Request) && !is_opening => {
                self.start(inbound, message.id()).await;
            }
            // A batch, or nothing that can be read.
            None => self.start(inbound, None).await,
            message => {
                let request_id = inbound.request_id;
                let posted = self
                    .gateway
                    .post(inbound)
                    .instrument(span(request_id))
                    .await;
                self.answer(posted).await;
                self.forget(message.as_ref());
            }
        }
    }

    fn inbound(&self, body: Bytes) -> Inbound {
        Inbound {
            route: Route::Aggregate,
            caller: Arc::clone(&self.caller),
            session: self.session.clone(),
            revision: None,
            mirrored: None,
            request_id: RequestId::random(),
            started: self.gateway.clock().now(),
            accepts_stream: true,
            body,
        }
    }

    async fn start(&mut self, inbound: Inbound, id: Option<&[u8]>) {
        while self.open.try_join_next().is_some() {}
        self.by_id.retain(|_, call| !call.is_finished());
        let is_taken = id.is_some_and(|id| self.by_id.contains_key(id));
        if is_taken || self.open.len() >= MOST_OPEN {
            let refusal = if is_taken { id_in_use() } else { too_many() };
            say(&self.output, &refusal.reply(id).body).await;
            return;
        }
        let (gateway, output) = (Arc::clone(&self.gateway), self.output.clone());
        let span = span(inbound.request_id);
        let call = async move { write(&output, gateway.post(inbound).await).await };
        let call = self.open.spawn(call.instrument(span));
        if let Some(id) = id {
            self.by_id.insert(Bytes::copy_from_slice(id), call);
        }
    }

    /// The answer to what is not a call: a new session brings its stream along.
    async fn answer(&mut self, posted: Outbound) {
        let opened = match &posted {
            Outbound::Reply(reply) => reply.session.clone(),
            _ => None,
        };
        write(&self.output, posted).await;
        let Some(session) = opened else { return };
        let listened = self
            .gateway
            .listen(&Route::Aggregate, Some(&session), &self.caller);
        if let Ok(stream) = listened {
            let output = self.output.clone();
            self.open
                .spawn(async move { write(&output, Outbound::Stream(stream)).await });
        }
        if let Some(earlier) = self.session.replace(session) {
            let _ = self.gateway.end_session(Some(&earlier), &self.caller);
        }
    }

    /// A request that is cancelled has no answer (basic/patterns/cancellation).
    fn forget(&mut self, message: Option<&Message>) {
        let cancelled = message
            .filter(|message| message.method() == Some("notifications/cancelled"))
            .and_then(Message::cancelled_id);
        if let Some(call) = cancelled.and_then(|id| self.by_id.remove(id)) {
            call.abort();
        }
    }

    async fn finish(&mut self, patience: Duration, cut: impl Future<Output = ()>) {
        let deadline = Instant::now() + patience;
        self.gateway.close_streams();
        self.gateway.end_of_answers();
        let all = async { while self.open.join_next().await.is_some() {} };
        let is_done = tokio::select! {
            done = timeout_at(deadline, all) => done.is_ok(),
            () = cut => false,
        };
        if !is_done {
            let calls = self.open.len();
            tracing::warn!(calls, "Cutting what is left");
            self.open.shutdown().await;
        }
    }
}

fn id_in_use() -> Refusal {
    Refusal::InvalidRequest(
        "Another request with this id is open, so this one was not begun: nobody could tell their answers apart. Send it under another id.".into(),
    )
}

fn too_many() -> Refusal {
    Refusal::InvalidRequest(
        format!("{MOST_OPEN} requests of this client are open, which is the limit, so this one was not begun. Wait for an answer, or cancel one.")
            .into(),
    )
}

fn span(request_id: RequestId) -> tracing::Span {
    info_span!("stdio_request", %request_id)
}

async fn write(output: &mpsc::Sender<Bytes>, posted: Outbound) {
    match posted {
        Outbound::Reply(reply) => say(output, &reply.body).await,
        Outbound::Stream(stream) => {
            let mut stream = Box::into_pin(stream);
            while let Some(message) = next_message(&mut stream).await {
                say(output, &message).await;
            }
        }
        Outbound::Accepted => {}
    }
}

/// A client that has closed its end is noticed when the next line is read.
async fn say(output: &mpsc::Sender<Bytes>, message: &[u8]) {
    let _ = output.send(encode_line(message)).await;
}
