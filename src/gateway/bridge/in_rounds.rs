//! A modern backend asks in its answers. An older client is asked by requests on the stream of its call, and the call is sent
//! again with what it answered (MCP 2026-07-28, basic/patterns/mrtr).

use std::{borrow::Cow, sync::Arc};

use serde_json::value::RawValue;
use tokio::{sync::oneshot, time::timeout};

use crate::{
    backend::{Answer, Call, CallError, EventSender, LONGEST_WAIT, Patience},
    gateway::{
        member::Member,
        request::{Request, Speaks},
        sessions::Session,
    },
    protocol::{Message, RawObject, Text},
};

/// How often one call is sent again with answers.
const MOST_ROUNDS: usize = 10;
/// What may be asked at once.
const MOST_AT_ONCE: usize = 16;

/// Sends a call; one of an older client is sent again with what its client answers, until it is done.
pub(in crate::gateway) async fn send(
    request: &Request,
    member: &Member,
    call: &Call<'_>,
) -> Result<Answer, CallError> {
    let answer = member.send(call).await?;
    if !answer.message.wants_input() || matches!(request.speaker, Speaks::Modern) {
        return Ok(answer);
    }
    Box::pin(go_on(request, member, call, answer)).await
}

async fn go_on(
    request: &Request,
    member: &Member,
    call: &Call<'_>,
    mut answer: Answer,
) -> Result<Answer, CallError> {
    let mut rounds = 0;
    while answer.message.wants_input() {
        rounds += 1;
        if rounds > MOST_ROUNDS {
            return Err(CallError::unanswered(format!(
                "it still asks for more after {MOST_ROUNDS} rounds"
            )));
        }
        let result = answer.message.result().unwrap_or_default();
        let wanted = Wanted::read(&result).ok_or_else(|| {
            CallError::unanswered("it asked the client for something that cannot be read")
        })?;
        let session = request.session.as_ref().ok_or_else(|| {
            CallError::unanswered("it asks the client for something, and this client has no session in which it could be asked")
        })?;
        let before = request.asked();
        let answers = wanted.ask(request, session).await?;
        let message = call.message.with_in_params(&answers);
        let mut again = request.call(message, call.repeatable, call.tool);
        again.param_headers = call.param_headers;
        // The client's one call has paid already.
        again.limited = false;
        // Each round is a call of its own, which begins when the client has answered.
        again.started = answer.ended.later(request.asked().saturating_sub(before));
        answer = member.send(&again).await?;
    }
    Ok(answer)
}

/// What a backend wants to know before it goes on.
struct Wanted<'a> {
    requests: Vec<(Cow<'a, str>, RawObject<'a>)>,
    state: Option<&'a RawValue>,
}

impl<'a> Wanted<'a> {
    fn read(result: &'a [u8]) -> Option<Self> {
        let result: RawObject<'a> = RawObject::parse(result)?;
        let requests: RawObject<'a> = result.read("inputRequests").unwrap_or_default();
        let read = |(key, request): (Cow<'a, str>, &'a RawValue)| {
            Some((key, serde_json::from_str(request.get()).ok()?))
        };
        let requests: Option<Vec<_>> = requests.0.into_iter().map(read).collect();
        Some(Self {
            requests: requests.filter(|requests| requests.len() <= MOST_AT_ONCE)?,
            state: result.member("requestState"),
        })
    }

    /// Asks the client for all of it at once; the members of `params` that bear the answers.
    async fn ask(self, request: &Request, session: &Arc<Session>) -> Result<String, CallError> {
        let mut open = Vec::new();
        for (key, asked) in self.requests {
            open.push((key, Asking::of(request, session, &asked)?));
        }
        let mut answers = Vec::new();
        for (key, asking) in open {
            answers.push((key, asking.answer().await?));
        }
        let answers = RawObject(
            answers
                .iter()
                .map(|(key, it)| (key.clone(), &**it))
                .collect(),
        );
        let answers = serde_json::to_string(&answers).unwrap_or_default();
        let mut members = format!(r#""inputResponses":{answers}"#);
        if let Some(state) = self.state {
            members.push_str(&format!(r#","requestState":{state}"#));
        }
        Ok(members)
    }
}

/// One request that the client has got; dropped, it is withdrawn, and the client is told so.
struct Asking {
    session: Arc<Session>,
    id: u64,
    answer: oneshot::Receiver<Message>,
    /// Where it was asked.
    on: Option<EventSender>,
}

impl Asking {
    fn of(
        request: &Request,
        session: &Arc<Session>,
        asked: &RawObject<'_>,
    ) -> Result<Self, CallError> {
        let Some(Text(method)) = asked.read("method") else {
            return Err(CallError::unanswered(
                "it asks for something that has no method",
            ));
        };
        if !session.client().takes(&method) {
            return Err(CallError::unanswered(format!(
                "it asks the client for `{method}`, for which the client declared no capability"
            )));
        }
        let params = asked.member("params").map(|params| params.get().as_bytes());
        let waiting = request.patience.as_ref().map(Patience::wait);
        let (id, message, answer) = session.ask(&method, params, waiting);
        let mut asking = Self {
            session: Arc::clone(session),
            id,
            answer,
            on: None,
        };
        match &request.events {
            Some(events) if events.put(message) => {
                asking.on = Some(events.clone());
                Ok(asking)
            }
            _ => Err(CallError::unanswered(format!(
                "it asks the client for `{method}`, and the client takes no event stream on which it could be asked"
            ))),
        }
    }

    async fn answer(mut self) -> Result<Box<RawValue>, CallError> {
        let answer = timeout(LONGEST_WAIT, &mut self.answer).await;
        let answer = answer
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| CallError::unanswered("the client did not answer what it asked"))?;
        match answer.result() {
            Some(result) => serde_json::from_slice(&result)
                .map_err(|_| CallError::unanswered("the client's answer cannot be read")),
            None => Err(CallError::unanswered(format!(
                "the client answered what it asked with an error: {}",
                answer.error_message().unwrap_or_default()
            ))),
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let told = self.session.asks().withdraw(self.id);
        if let (Some(events), Some(told)) = (&self.on, told)
            && !events.put_ours(told.clone())
        {
            self.session.tell(told.bytes().clone());
        }
    }
}
