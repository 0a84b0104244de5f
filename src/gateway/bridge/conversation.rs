//! A call of a modern client that an older backend may interrupt with questions.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use tokio::time::sleep;

use super::parked::{MORE, Questions};
use crate::{
    backend::EventReceiver,
    gateway::{inbound::Reply, underway::Underway},
    protocol::Message,
};

/// A call, and what its backend says and asks meanwhile. Dropped, it cancels the call.
pub(in crate::gateway) struct Conversation {
    /// Who calls what: whoever takes it up again must say the same.
    call: Box<str>,
    underway: Underway,
    events: EventReceiver,
    questions: Arc<Questions>,
    /// The progress token under which the backend's reports come.
    token: Option<Bytes>,
}

/// What comes next.
pub(in crate::gateway) enum Step {
    Said(Message),
    Asked,
    Done(Option<Reply>),
}

impl Conversation {
    pub(in crate::gateway) fn new(
        (call, token): (Box<str>, Option<Bytes>),
        underway: Underway,
        events: EventReceiver,
        questions: Arc<Questions>,
    ) -> Self {
        Self {
            call,
            underway,
            events,
            questions,
            token,
        }
    }

    pub(super) fn call(&self) -> &str {
        &self.call
    }

    pub(in crate::gateway) const fn questions(&self) -> &Arc<Questions> {
        &self.questions
    }

    /// Waits for what comes next: what was said before what was asked, and both before the answer.
    pub(in crate::gateway) async fn step(&mut self) -> Step {
        let questions = Arc::clone(&self.questions);
        loop {
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
                reply = &mut self.underway => return Step::Done(reply),
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
            && event.progress_token() == self.token.as_deref();
        if !reports {
            return Some(event.bytes().clone());
        }
        Some(event.edit().progress_token(token?).finish())
    }
}
