//! A request that a backend sends to the client, and the way back for the answer.

use std::fmt;

use crate::protocol::{Message, codes};

/// A request of a backend. Dropped, it is declined, so that no backend waits for somebody who has gone.
pub struct Ask {
    message: Message,
    reply: Option<Reply>,
}

type Reply = Box<dyn Fn(Message) + Send + Sync>;

impl Ask {
    pub(super) fn new(message: Message, reply: impl Fn(Message) + Send + Sync + 'static) -> Self {
        Self {
            message,
            reply: Some(Box::new(reply)),
        }
    }

    /// What is asked, under the backend's own id.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// Hands over the client's answer, which bears whatever id the client knew.
    pub fn answer(mut self, answer: &Message) {
        let id = self.message.id().unwrap_or(b"null");
        let answer = answer.edit().id(id).finish_message();
        self.send(answer);
    }

    /// Hands on how far the client is, if the backend wants to know.
    pub fn progressed(&self, progress: &Message) {
        if let (Some(token), Some(reply)) = (self.message.progress_token(), &self.reply) {
            reply(progress.edit().progress_token(token).finish_message());
        }
    }

    /// Answers that it is not answered, and why.
    pub fn decline(mut self, sentence: &str) {
        self.send_declined(sentence);
    }

    fn send_declined(&mut self, sentence: &str) {
        let id = self.message.id().unwrap_or(b"null");
        let declined = Message::error_response(id, codes::INTERNAL_ERROR, sentence, None);
        self.send(declined);
    }

    fn send(&mut self, answer: Message) {
        if let Some(reply) = self.reply.take() {
            reply(answer);
        }
    }
}

impl Drop for Ask {
    fn drop(&mut self) {
        if self.reply.is_some() {
            let method = self.message.method().unwrap_or_default();
            let sentence = format!("nobody is left who could answer `{method}`");
            self.send_declined(&sentence);
        }
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn ask() -> (Ask, mpsc::Receiver<Message>) {
        let (sender, receiver) = mpsc::sync_channel(2);
        let message = Message::request(b"\"theirs\"", "roots/list", None);
        let ask = Ask::new(message, move |answer| sender.send(answer).unwrap());
        (ask, receiver)
    }

    #[test]
    fn an_answer_comes_back_under_the_backends_own_id() {
        let (ask, answers) = ask();
        ask.answer(&Message::response(b"9", br#"{"roots":[]}"#));
        let answer = answers.try_recv().unwrap();
        assert_eq!(
            answer.bytes(),
            r#"{"jsonrpc":"2.0","id":"theirs","result":{"roots":[]}}"#
        );
        assert!(answers.try_recv().is_err());
    }

    #[test]
    fn how_far_the_client_is_is_told_to_a_backend_that_gave_a_token() {
        let progress = Message::notification(
            "notifications/progress",
            Some(br#"{"progressToken":9,"progress":1}"#),
        );
        let (ask, answers) = ask();
        ask.progressed(&progress);
        assert!(answers.try_recv().is_err());
        drop(ask);
        let (sender, answers) = mpsc::sync_channel(2);
        let params = br#"{"_meta":{"progressToken":"theirs"}}"#;
        let message = Message::request(b"1", "roots/list", Some(params));
        let ask = Ask::new(message, move |answer| sender.send(answer).unwrap());
        ask.progressed(&progress);
        let told = answers.try_recv().unwrap();
        assert_eq!(
            told.params().unwrap(),
            r#"{"progressToken":"theirs","progress":1}"#
        );
    }

    #[test]
    fn what_nobody_answers_is_declined() {
        let (ask, answers) = ask();
        drop(ask);
        let answer = answers.try_recv().unwrap();
        assert_eq!(answer.error_code(), Some(codes::INTERNAL_ERROR));
        assert_eq!(answer.id(), Some(&b"\"theirs\""[..]));
    }
}
