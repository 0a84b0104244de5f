//! A call whose client can be asked: answered, or interrupted by a result that says what its backend wants to know, and taken
//! up again when the client sends it once more with its answers (MCP 2026-07-28, basic/patterns/mrtr).

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    gateway::{
        bridge::{Conversation, NoPlace, OfCall, Seal, Step},
        facade::Gateway,
        inbound::{Outbound, Reply},
        replies::{Recovery, Refusal, answered, failed_call},
        request::Request,
        router::Place,
        stream::step_by_step,
    },
    protocol::{Message, RawObject, Text},
};

/// One request of a client that can be asked, while its answer is on the way.
pub(super) struct Answering {
    gateway: Arc<Gateway>,
    conversation: Conversation,
    /// The id of the request that is answered, and its progress token.
    id: Bytes,
    token: Option<Bytes>,
    /// Whether it takes anything before the answer.
    hears: bool,
}

/// What goes to the client next.
enum Next {
    Message(Bytes, Box<Answering>),
    Last(Option<Reply>),
}

impl Gateway {
    /// Takes up the parked call that this request repeats, if it says so.
    pub(super) fn take_up(
        self: &Arc<Self>,
        place: &Place,
        request: &Request,
    ) -> Option<Result<Conversation, Refusal>> {
        let params = request.message.params()?;
        let params = RawObject::parse(&params)?;
        let Text(state) = params.read("requestState")?;
        if !Seal::is_ours(&state) {
            return None;
        }
        let Some(conversation) = self.parked.take(&state, &call_of(place, request)) else {
            let sentence = "The `requestState` is none that this call was given, was used before, or has run out. Unless you have used it before, nothing more was done: send the call again without it.";
            return Some(Err(Refusal::InvalidParams(sentence.into())));
        };
        let responses: RawObject<'_> = params.read("inputResponses").unwrap_or_default();
        conversation.questions().answer(&responses);
        Some(Ok(conversation))
    }
}

/// Who calls what, and where.
pub(super) fn call_of(place: &Place, request: &Request) -> OfCall {
    let place = match place {
        Place::Aggregate => "",
        Place::Backend(member) => member.name(),
    };
    OfCall::new(place, request)
}

/// The answer to a call that was asked for something and found no place to wait for its client.
fn no_place(id: &[u8], why: NoPlace) -> Reply {
    let (who, advice) = match why {
        NoPlace::Caller(most) => (
            format!(
                "{most} calls of yours wait for answers already, which is the limit for one caller"
            ),
            "Answer what those ask, or call again once they have ended (after five minutes at the latest), with fewer at the same time.",
        ),
        NoPlace::All(most) => (
            format!("{most} calls wait for their clients, which is the limit"),
            "Call again later.",
        ),
        NoPlace::Unsealed => (
            "no state can be sealed, because the system gives no randomness".to_owned(),
            "Tell the operator of the gateway.",
        ),
    };
    let happened = format!(
        "The backend asked for something, and {who}, so this call was ended: it may or may not have taken effect."
    );
    answered(failed_call(id, &Recovery::overloaded(&happened, advice)))
}

impl Answering {
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        conversation: Conversation,
        request: &Request,
        hears: bool,
    ) -> Self {
        let token = request.message.progress_token();
        Self {
            gateway: Arc::clone(gateway),
            conversation,
            id: request.shared_id(),
            token: token.map(Bytes::copy_from_slice),
            hears,
        }
    }

    /// One reply, or a stream if the backend has something to say first.
    pub(super) async fn outbound(self) -> Outbound {
        match Box::new(self).next().await {
            Next::Last(Some(reply)) => Outbound::Reply(reply),
            Next::Last(None) => Outbound::Accepted,
            Next::Message(message, rest) => {
                let state = (Some(message), Some(rest));
                Outbound::Stream(step_by_step(state, |(first, rest)| async move {
                    if let Some(first) = first {
                        return Some((first, (None, rest)));
                    }
                    match rest?.next().await {
                        Next::Message(message, rest) => Some((message, (None, Some(rest)))),
                        Next::Last(reply) => Some((reply?.body, (None, None))),
                    }
                }))
            }
        }
    }

    async fn next(mut self: Box<Self>) -> Next {
        // What a repeated request leaves open is asked again at once.
        if self.conversation.questions().are_there() {
            return Next::Last(Some(self.park()));
        }
        loop {
            let said = match self.conversation.step().await {
                Step::Said(message) => message,
                Step::Asked => return Next::Last(Some(self.park())),
                Step::Done(reply) => {
                    return Next::Last(reply.map(|reply| self.under_its_id(reply)));
                }
            };
            let told = self.conversation.told(&said, self.token.as_deref());
            if let Some(message) = told.filter(|_| self.hears) {
                return Next::Message(message, self);
            }
        }
    }

    /// The answer to the request that is waiting now, whichever was the first.
    fn under_its_id(&self, reply: Reply) -> Reply {
        let Ok(message) = Message::parse(reply.body.clone()) else {
            return reply;
        };
        Reply {
            body: message.under(&self.id),
            ..reply
        }
    }

    /// Keeps the call until its client comes back with what is asked.
    fn park(self) -> Reply {
        let Self {
            gateway,
            conversation,
            id,
            ..
        } = self;
        let requests = conversation.questions().requests();
        match gateway.parked.park(conversation) {
            Ok(state) => {
                let result = format!(
                    r#"{{"resultType":"input_required","inputRequests":{requests},"requestState":"{state}"}}"#
                );
                let message = Message::response(&id, result.as_bytes());
                answered(message.bytes().clone())
            }
            Err(why) => no_place(&id, why),
        }
    }
}
