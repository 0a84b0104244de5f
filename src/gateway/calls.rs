//! How one request reaches its backend, and how what the backend says meanwhile reaches the client before the answer.

use std::sync::Arc;

use super::{
    bridge::{Own, in_rounds},
    catalogue::{Entry, Kind, headers_of},
    facade::Gateway,
    inbound::Outbound,
    member::Member,
    objectives::is_bad_for_tool,
    request::Request,
    sessions::{CallStream, Session},
    stream::step_by_step,
    underway::Underway,
};
use crate::{
    backend::{Answer, Call, CallError, EventReceiver, events},
    protocol::{Message, codes},
    telemetry::clock::micros,
};
use bytes::Bytes;
use tracing::Instrument;

impl Gateway {
    /// Sends `message` to a backend on behalf of a request.
    pub(super) async fn forward(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
        message: Message,
        repeatable: bool,
    ) -> Result<Answer, CallError> {
        let own = self.way_of(request, member).await;
        let mut call = request.call(message, repeatable, None);
        call.line = own.as_ref().map(Own::line);
        in_rounds::send(request, member, &call).await
    }

    /// The same for what concerns all who use the backend: it goes the way that they share.
    pub(super) async fn forward_shared(
        &self,
        request: &Request,
        member: &Member,
        message: Message,
    ) -> Result<Answer, CallError> {
        member.send(&request.call(message, false, None)).await
    }

    /// The same for a tool, whose time is kept.
    pub(super) async fn forward_tool(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
        message: Message,
        tool: Tool<'_>,
    ) -> Result<Answer, CallError> {
        let repeatable = member.may_repeat(tool.name, tool.entry.map(|entry| &**entry));
        let circuit = tool.entry.map(|entry| member.circuit(entry));
        let params = tool
            .entry
            .map(|entry| &*entry.header_params)
            .unwrap_or_default();
        let arguments = || message.arguments().unwrap_or_default();
        let headers = (!params.is_empty()).then(|| headers_of(params, &arguments()));
        let own = self.way_of(request, member).await;
        let mut call = request.call(message, repeatable, circuit);
        call.line = own.as_ref().map(Own::line);
        // What is known of the tool says more than what a client of another name or era has sent.
        call.param_headers = headers.as_deref().unwrap_or(call.param_headers);
        let mut answered = in_rounds::send(request, member, &call).await;
        if matches!(&answered, Ok(it) if it.message.error_code() == Some(codes::HEADER_MISMATCH)) {
            let again = self.under_new_headers(request, member, &call, tool.name);
            answered = Box::pin(again).await.unwrap_or(answered);
        }
        if let Some(entry) = tool.entry {
            record(entry, &answered);
        }
        answered
    }

    /// A call that was refused for its headers, and so before it ran, is sent once more if the tool's definition asks for others
    /// now (MCP 2026-07-28, basic/transports/streamable-http, client behavior).
    async fn under_new_headers(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
        call: &Call<'_>,
        tool: &str,
    ) -> Option<Result<Answer, CallError>> {
        let read = self.read_within(member, Kind::Tools, request.deadline);
        read.await.ok()?;
        let entry = member.tool(tool)?;
        let arguments = call.message.arguments().unwrap_or_default();
        let headers = headers_of(&entry.header_params, &arguments);
        if *headers == *call.param_headers {
            return None;
        }
        let mut again = request.call(call.message.clone(), call.repeatable, call.tool);
        again.line = call.line;
        again.param_headers = &headers;
        // The client's one call has paid already.
        again.limited = false;
        again.started = self.clock.now();
        Some(in_rounds::send(request, member, &again).await)
    }

    /// The client's own way to the backend, which only clients have that can be asked.
    pub(super) async fn way_of(
        self: &Arc<Self>,
        request: &Request,
        member: &Arc<Member>,
    ) -> Option<Own> {
        if !request.can_be_asked() {
            return None;
        }
        Box::pin(self.own_line(request, member)).await
    }
}

/// Times an answer of a tool, and counts a call without one that should have had one.
fn record(entry: &Entry, answered: &Result<Answer, CallError>) {
    match answered {
        Ok(answer) => {
            let (took, at_ms) = (micros(answer.waited), answer.ended.millis());
            let is_error = answer.message.error_code().is_some();
            if is_error && is_bad_for_tool(answer.outcome()) {
                entry.latency().record_failure(took, at_ms);
            } else {
                entry.latency().record_success(took, at_ms);
            }
        }
        Err(error) if is_bad_for_tool(error.outcome()) => entry.lose(),
        Err(_) => {}
    }
}

/// A tool by its own name, with its definition where that is known.
#[derive(Clone, Copy)]
pub(super) struct Tool<'a> {
    pub(super) name: &'a str,
    pub(super) entry: Option<&'a Arc<Entry>>,
}

/// The reply if it comes before anything else; a stream if the backend has something to say first.
/// The stream of a `session` goes on without its client, which can take it up again.
pub(super) async fn first_of(
    mut call: Underway,
    mut events: EventReceiver,
    session: Option<Arc<Session>>,
) -> Outbound {
    let stream = |answering| match session {
        Some(session) => kept(session, answering),
        None => stream(answering),
    };
    tokio::select! {
        biased;
        reply = &mut call => match (events.try_recv(), reply) {
            (Some(event), reply) => {
                let last = reply.map(|reply| reply.body);
                stream(Answering { call: None, events, first: Some(event), last, is_unheard: false })
            }
            (None, Some(reply)) => Outbound::Reply(reply),
            (None, None) => Outbound::Accepted,
        },
        event = events.recv() => stream(Answering { call: Some(call), events, first: Some(event), last: None, is_unheard: false }),
    }
}

fn stream(answering: Answering) -> Outbound {
    Outbound::Stream(step_by_step(answering, |mut answering| async move {
        let message = answering.next().await?;
        Some((message, answering))
    }))
}

/// The same on a stream that outlives the connection of its client.
fn kept(session: Arc<Session>, answering: Answering) -> Outbound {
    let (stream, read) = CallStream::begin(session);
    tokio::spawn(say_all(answering, stream).in_current_span());
    Outbound::Stream(read)
}

async fn say_all(mut answering: Answering, stream: CallStream) {
    loop {
        let message = tokio::select! {
            biased;
            message = answering.next() => message,
            () = stream.left_alone(), if !answering.is_unheard => {
                answering.forget_events();
                continue;
            }
        };
        match message {
            Some(message) => stream.say(message),
            None => return,
        }
    }
}

/// What is still to come on a call's stream: events, and the answer after the last of them.
struct Answering {
    call: Option<Underway>,
    events: EventReceiver,
    first: Option<Message>,
    last: Option<Bytes>,
    /// Whether only the answer is still wanted.
    is_unheard: bool,
}

impl Answering {
    /// Nobody is there who could be told or asked: what has been asked is declined.
    fn forget_events(&mut self) {
        (_, self.events) = events(1);
        self.is_unheard = true;
    }

    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first.bytes().clone());
        }
        if let Some(call) = &mut self.call {
            tokio::select! {
                biased;
                event = self.events.recv() => return Some(event.bytes().clone()),
                reply = call => {
                    self.call = None;
                    self.last = reply.map(|reply| reply.body);
                }
            }
        }
        let said = self.events.try_recv();
        match said.or_else(|| self.events.last_words()) {
            Some(event) => Some(event.bytes().clone()),
            None => self.last.take(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::{inbound::Reply, replies::answered, stream};

    fn underway(call: impl Future<Output = Option<Reply>> + Send + 'static) -> Underway {
        Underway::new(call, false)
    }

    fn event(text: &str) -> Message {
        Message::notification("notifications/progress", Some(text.as_bytes()))
    }

    fn reply() -> Option<Reply> {
        Some(answered(Bytes::from_static(b"answer")))
    }

    #[tokio::test]
    async fn an_answer_without_events_is_one_reply() {
        let (_sender, events) = events(4);
        let outbound = first_of(underway(async { reply() }), events, None).await;
        assert!(matches!(outbound, Outbound::Reply(reply) if reply.body == "answer"));
    }

    #[tokio::test]
    async fn events_come_before_the_answer_even_if_both_are_ready() {
        let (sender, events) = events(4);
        let call = underway(async move {
            assert!(sender.put(event("{\"n\":1}")));
            assert!(sender.put(event("{\"n\":2}")));
            reply()
        });
        let Outbound::Stream(stream) = first_of(call, events, None).await else {
            panic!("no stream");
        };
        let mut stream = Box::into_pin(stream);
        let mut seen = Vec::new();
        while let Some(message) = stream::next_message(&mut stream).await {
            seen.push(String::from_utf8(message.to_vec()).unwrap());
        }
        assert_eq!(seen.len(), 3);
        assert!(seen[0].contains("\"n\":1") && seen[1].contains("\"n\":2"));
        assert_eq!(seen[2], "answer");
    }

    #[tokio::test]
    async fn a_cancelled_call_has_no_answer() {
        let (_sender, events) = events(4);
        let outbound = first_of(underway(async { None }), events, None).await;
        assert!(matches!(outbound, Outbound::Accepted));
    }

    #[tokio::test]
    async fn dropping_the_stream_drops_the_call() {
        let (sender, events) = events(4);
        let (ended, mut watched) = tokio::sync::oneshot::channel::<()>();
        let call = underway(async move {
            let _ended = ended;
            assert!(sender.put(event("{}")));
            std::future::pending::<()>().await;
            reply()
        });
        let outbound = first_of(call, events, None).await;
        assert!(matches!(outbound, Outbound::Stream(_)));
        assert!(watched.try_recv().is_err());
        drop(outbound);
        assert!(watched.await.is_err());
    }
}
