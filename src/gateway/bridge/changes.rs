//! Who wants to hear of changes of which resource, and how a backend is told: an older one by a request for each, a modern
//! one in the one subscription that all share.

use std::sync::Arc;

use bytes::Bytes;

use crate::{
    backend::{CallError, Line},
    gateway::{
        facade::Gateway,
        member::Member,
        replies::{Recovery, Refusal, failed_call},
        request::Request,
        sessions::{MOST_SUBSCRIPTIONS, Session, Way},
    },
    protocol::{Era, Message, codes, quote},
};

const SUBSCRIBE: &str = "resources/subscribe";
const UNSUBSCRIBE: &str = "resources/unsubscribe";

impl Gateway {
    /// `resources/subscribe` of a session to what is `own` at its backend, by its own way there if it has one. Remembered before
    /// it is sent, so that the first update is not missed.
    pub(in crate::gateway) async fn subscribe(
        self: &Arc<Self>,
        member: &Arc<Member>,
        request: &Request,
        own: &str,
    ) -> Result<Bytes, Refusal> {
        let uri = request.message.uri().unwrap_or_default();
        let line = self.way_of(request, member).await;
        let way = line.as_ref().map_or(Way::Shared, |_| Way::Own);
        let session = request.session.as_ref();
        if session.is_some_and(|session| !session.subscribe(&uri, way)) {
            return Err(Refusal::InvalidRequest(
                format!("This session has subscribed to {MOST_SUBSCRIPTIONS} resources, which is the limit, so nothing was sent. Unsubscribe from one first.")
                    .into(),
            ));
        }
        let answer = match &line {
            Some(line) => {
                self.say(request, member, Some(line.line()), (SUBSCRIBE, own))
                    .await
            }
            None => self.hear_of(request, member, own).await,
        };
        let is_subscribed = matches!(&answer, Ok(answer) if answer.result().is_some());
        if let (Some(session), false) = (session, is_subscribed) {
            session.unsubscribe(&uri);
        }
        Ok(answered(request, member, answer))
    }

    /// `resources/unsubscribe` of a session; where all share the way it is sent on only when nobody else is left who wants to hear
    /// of the resource.
    pub(in crate::gateway) async fn unsubscribe(
        &self,
        member: &Member,
        request: &Request,
        own: &str,
    ) -> Bytes {
        let uri = request.message.uri().unwrap_or_default();
        if let Some(session) = &request.session {
            let way = session.hears_by(&uri);
            session.unsubscribe(&uri);
            if way == Some(Way::Own) {
                return self
                    .unsubscribe_itself(member, request, (session, own))
                    .await;
            }
            if self.is_wanted(member, own) {
                return request.respond(b"{}");
            }
        }
        let answer = self.hear_no_more(request, member, own).await;
        answered(request, member, answer)
    }

    async fn unsubscribe_itself(
        &self,
        member: &Member,
        request: &Request,
        (session, own): (&Session, &str),
    ) -> Bytes {
        let line = session.line(member.name());
        let Some(line) = line.filter(|line| line.is_running()) else {
            // It has ended, and its subscriptions with it.
            return request.respond(b"{}");
        };
        let answer = self
            .say(request, member, Some(&line), (UNSUBSCRIBE, own))
            .await;
        answered(request, member, answer)
    }

    /// Has a new way of a session tell of all that the session has subscribed to at its backend.
    pub(super) async fn subscribe_on(
        &self,
        line: &Line,
        request: &Request,
        (member, session): (&Arc<Member>, &Session),
    ) {
        for uri in session.subscribed() {
            let Some(own) = self.asked_for(session, member, &uri) else {
                continue;
            };
            match self
                .say(request, member, Some(line), (SUBSCRIBE, own))
                .await
            {
                Ok(answer) if answer.result().is_some() => {
                    session.subscribe(&uri, Way::Own);
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(backend = member.name(), uri = &*uri, %error, "A resource could not be subscribed to again");
                    return;
                }
            }
        }
    }

    /// What a session that has ended had subscribed to is asked for no longer, unless somebody else wants it.
    pub(in crate::gateway) fn take_back(self: &Arc<Self>, ended: &Arc<Session>) {
        // What it heard by its own way has ended with that.
        let mut uris = ended.subscribed();
        uris.retain(|uri| ended.hears_by(uri) == Some(Way::Shared));
        if uris.is_empty() || self.is_draining() {
            return;
        }
        let (gateway, ended) = (Arc::clone(self), Arc::clone(ended));
        tokio::spawn(async move {
            let table = gateway.snapshot();
            for uri in uris {
                let its = |member: &Arc<Member>| {
                    let own = gateway.asked_for(&ended, member, &uri)?;
                    Some((Arc::clone(member), own))
                };
                let Some((member, own)) = table.members().iter().find_map(its) else {
                    continue;
                };
                if !gateway.is_wanted(&member, own) {
                    let request = gateway.request_of(Arc::clone(ended.caller()));
                    let _ = gateway.hear_no_more(&request, &member, own).await;
                }
            }
        });
    }

    /// Asks a backend to tell when this resource changes.
    pub(in crate::gateway) async fn hear_of(
        &self,
        request: &Request,
        member: &Member,
        uri: &str,
    ) -> Result<Message, CallError> {
        if member.backend().era(request.deadline).await? == Era::Modern {
            let is_agreed = member.backend().watch(uri).await;
            return Ok(if is_agreed {
                Message::response(b"0", b"{}")
            } else {
                refused(member)
            });
        }
        self.say(request, member, None, (SUBSCRIBE, uri)).await
    }

    /// Asks it to tell no more.
    pub(in crate::gateway) async fn hear_no_more(
        &self,
        request: &Request,
        member: &Member,
        uri: &str,
    ) -> Result<Message, CallError> {
        if member.backend().era(request.deadline).await? == Era::Modern {
            member.backend().unwatch(uri);
            return Ok(Message::response(b"0", b"{}"));
        }
        self.say(request, member, None, (UNSUBSCRIBE, uri)).await
    }

    async fn say(
        &self,
        request: &Request,
        member: &Member,
        line: Option<&Line>,
        (method, uri): (&str, &str),
    ) -> Result<Message, CallError> {
        let params = [&b"{\"uri\":"[..], &quote(uri), b"}"].concat();
        let message = Message::request(b"0", method, Some(&params));
        let mut call = request.call(message, false, None);
        call.line = line;
        Ok(member.send(&call).await?.message)
    }

    /// Whether anybody wants to hear of this resource of a backend by the way that all share.
    pub(in crate::gateway) fn is_wanted(&self, member: &Member, uri: &str) -> bool {
        let mut wanted = false;
        self.sessions.for_each(|session| {
            let mut names = self
                .subscribed_as(session, member, uri)
                .into_iter()
                .flatten();
            wanted |= names.any(|name| session.hears_by(&name) == Some(Way::Shared));
        });
        wanted
    }
}

fn refused(member: &Member) -> Message {
    let name = member.name();
    let sentence = format!(
        "Backend {name:?} does not tell when this resource changes, so nothing was subscribed to. Use a URI from resources/list."
    );
    Message::error_response(b"0", codes::INVALID_PARAMS, &sentence, None)
}

fn answered(request: &Request, member: &Member, answer: Result<Message, CallError>) -> Bytes {
    match answer {
        Ok(answer) => answer.under(request.id()),
        Err(error) => failed_call(request.id(), &Recovery::of_call(member.name(), &error)),
    }
}
