//! A call of a modern client that an older backend may interrupt with questions.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use tokio::time::sleep;

use super::{
    OfCall,
    parked::{MORE, Questions},
};
use crate::{
    backend::EventReceiver,
    gateway::{inbound::Reply, underway::Underway},
    protocol::Message,
};

/// A call, and what its backend says and asks meanwhile. Dropped, it cancels the call.
pub(in crate::gateway) struct Conversation {
    call: OfCall,
    underway: Underway,
    events: EventReceiver,
    questions: Arc<Questions>,
    /// How the call ended, until all that was said before is taken.
    end: Option<Option<Reply>>,
}

/// What comes next.
pub(in crate::gateway) enum Step {
    Said(Message),
    Asked,
    Done(Option<Reply>),
}

impl Conversation {
    pub(in crate::gateway) fn new(
        call: OfCall,
        underway: Underway,
        events: EventReceiver,
        questions: Arc<Questions>,
    ) -> Self {
        Self {
            call,
            underway,
            events,
            questions,
            end: None,
        }
    }

    pub(super) const fn call(&self) -> &OfCall {
        &self.call
    }

    pub(in crate::gateway) const fn questions(&self) -> &Arc<Questions> {
        &self.questions
    }

    /// Waits for what comes next: what was said before what was asked, and both before the answer.
    pub(in crate::gateway) async fn step(&mut self) -> Step {
        let questions = Arc::clone(&self.questions);
        loop {
            // A backend that speaks and answers in one breath has spoken first.
            if let Some(reply) = self.end.take() {
                let Some(event) = self.events.try_recv() else {
                    return Step::Done(reply);
                };
                self.end = Some(reply);
                return Step::Said(event);
            }
            let all_asked = async {
                while !questions.are_there() {
                    questions.asked.notified().await;
                }
                sleep(MORE).await;
            };
            let all_asked = pin!(all_asked);
            tokio::select! {
                biased;
                event = self.events.recv() => return Step::Said(event),
                reply = &mut self.underway => self.end = Some(reply),
                () = all_asked => {
                    if questions.are_there() {
                        return Step::Asked;
                    }
                }
            }
        }
    }

    /// An event as the client that asks now may have it: its progress under the token that it has sent, if it has sent one.
    pub(in crate::gateway) fn told(&self, event: &Message, token: Option<&[u8]>) -> Option<Bytes> {
        let reports = event.method() == Some("notifications/progress")
            && event.progress_token() == self.call.token();
        if !reports {
            return Some(event.bytes().clone());
        }
        Some(event.edit().progress_token(token?).finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backend::events, gateway::replies::answered};

    #[tokio::test]
    async fn what_is_said_in_one_breath_with_the_answer_comes_before_it() {
        let (sender, events) = events(4);
        let call = async move {
            let spoken = ["a", "b"].map(|method| sender.put(Message::notification(method, None)));
            spoken.iter().all(|put| *put).then(|| answered("{}".into()))
        };
        let underway = Underway::new(call, false);
        let caller = Arc::default();
        let message = Message::request(b"1", "tools/call", None);
        let call = OfCall::of(caller, message);
        let mut conversation = Conversation::new(call, underway, events, Arc::default());
        for wanted in ["a", "b"] {
            let step = conversation.step().await;
            assert!(matches!(step, Step::Said(event) if event.method() == Some(wanted)));
        }
        assert!(matches!(conversation.step().await, Step::Done(Some(_))));
    }
}
