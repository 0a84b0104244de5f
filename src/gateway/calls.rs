//! How one request reaches its backend, and how what the backend says meanwhile reaches the client before the answer.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{
    catalogue::Entry, facade::Gateway, inbound::Outbound, member::Member, request::Request,
    stream::step_by_step, underway::Underway,
};
use crate::{
    backend::{Answer, CallError},
    protocol::Message,
    telemetry::clock::micros,
};

impl Gateway {
    /// Sends `message` to a backend on behalf of a request, and measures what we added.
    pub(super) async fn forward(
        &self,
        request: &Request,
        member: &Member,
        message: Message,
        repeatable: bool,
    ) -> Result<Answer, CallError> {
        let call = request.call(message, repeatable, None);
        let answer = member.send(call).await?;
        self.measure(request, &answer);
        Ok(answer)
    }

    /// The same for a tool, whose time is kept.
    pub(super) async fn forward_tool(
        &self,
        request: &Request,
        member: &Member,
        message: Message,
        tool: Tool<'_>,
    ) -> Result<Answer, CallError> {
        let repeatable = member.may_repeat(tool.name, tool.entry.map(|entry| &**entry));
        let circuit = tool.entry.map(|entry| member.circuit(entry));
        let call = request.call(message, repeatable, circuit);
        let answer = member.send(call).await?;
        let now_ms = self.measure(request, &answer);
        if let Some(entry) = tool.entry {
            entry
                .latency()
                .record_success(micros(answer.waited), now_ms);
        }
        Ok(answer)
    }

    /// Records what we added to a request that was answered just now, which is returned in milliseconds.
    fn measure(&self, request: &Request, answer: &Answer) -> u64 {
        let now = self.clock.now();
        let total = now.since(request.started);
        let added = total.saturating_sub(answer.queued + answer.waited);
        self.overhead.record_success(micros(added), now.millis());
        now.millis()
    }
}

/// A tool by its own name, with its definition where that is known.
#[derive(Clone, Copy)]
pub(super) struct Tool<'a> {
    pub(super) name: &'a str,
    pub(super) entry: Option<&'a Arc<Entry>>,
}

/// The reply if it comes before anything else; a stream if the backend has something to say first.
pub(super) async fn first_of(mut call: Underway, mut events: mpsc::Receiver<Message>) -> Outbound {
    tokio::select! {
        biased;
        Some(event) = events.recv() => stream(Answering { call: Some(call), events, first: Some(event), last: None }),
        reply = &mut call => {
            events.close();
            match (events.try_recv(), reply) {
                (Ok(event), reply) => {
                    let last = reply.map(|reply| reply.body);
                    stream(Answering { call: None, events, first: Some(event), last })
                }
                (Err(_), Some(reply)) => Outbound::Reply(reply),
                (Err(_), None) => Outbound::Accepted,
            }
        }
    }
}

fn stream(answering: Answering) -> Outbound {
    Outbound::Stream(step_by_step(answering, |mut answering| async move {
        let message = answering.next().await?;
        Some((message, answering))
    }))
}

/// What is still to come on a call's stream: events, and the answer after the last of them.
struct Answering {
    call: Option<Underway>,
    events: mpsc::Receiver<Message>,
    first: Option<Message>,
    last: Option<Bytes>,
}

impl Answering {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first.bytes().clone());
        }
        if let Some(call) = &mut self.call {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => return Some(event.bytes().clone()),
                reply = call => {
                    self.call = None;
                    self.events.close();
                    self.last = reply.map(|reply| reply.body);
                }
            }
        }
        match self.events.try_recv() {
            Ok(event) => Some(event.bytes().clone()),
            Err(_) => self.last.take(),
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
        let (_sender, events) = mpsc::channel(4);
        let outbound = first_of(underway(async { reply() }), events).await;
        assert!(matches!(outbound, Outbound::Reply(reply) if reply.body == "answer"));
    }

    #[tokio::test]
    async fn events_come_before_the_answer_even_if_both_are_ready() {
        let (sender, events) = mpsc::channel(4);
        let call = underway(async move {
            sender.send(event("{\"n\":1}")).await.unwrap();
            sender.send(event("{\"n\":2}")).await.unwrap();
            reply()
        });
        let Outbound::Stream(stream) = first_of(call, events).await else {
            panic!("no stream");
        };
        let mut stream = Box::into_pin(stream);
        let mut seen = Vec::new();
        while let Some(message) = stream::next(&mut stream).await {
            seen.push(String::from_utf8(message.to_vec()).unwrap());
        }
        assert_eq!(seen.len(), 3);
        assert!(seen[0].contains("\"n\":1") && seen[1].contains("\"n\":2"));
        assert_eq!(seen[2], "answer");
    }

    #[tokio::test]
    async fn a_cancelled_call_has_no_answer() {
        let (_sender, events) = mpsc::channel(4);
        let outbound = first_of(underway(async { None }), events).await;
        assert!(matches!(outbound, Outbound::Accepted));
    }

    #[tokio::test]
    async fn dropping_the_stream_drops_the_call() {
        let (sender, events) = mpsc::channel(4);
        let (ended, mut watched) = tokio::sync::oneshot::channel::<()>();
        let call = underway(async move {
            let _ended = ended;
            sender.send(event("{}")).await.unwrap();
            std::future::pending::<()>().await;
            reply()
        });
        let outbound = first_of(call, events).await;
        assert!(matches!(outbound, Outbound::Stream(_)));
        assert!(watched.try_recv().is_err());
        drop(outbound);
        assert!(watched.await.is_err());
    }
}
