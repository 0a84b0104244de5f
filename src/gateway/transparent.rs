//! `/mcp/{backend}`: everything goes to one backend and comes back as it was, but for the id.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::{
    calls::Tool,
    catalogue::Kind,
    facade::Gateway,
    inbound::Caller,
    member::Member,
    replies::{Recovery, Refusal, failed_call, failed_tool},
    request::Request,
    sessions::{MOST_SUBSCRIPTIONS, Session},
};
use crate::{
    backend::{Answer, CallError},
    protocol::{RawObject, Text},
};

impl Gateway {
    /// Answers a request on `/mcp/{backend}`.
    pub(super) async fn transparent(
        self: &Arc<Self>,
        member: &Arc<Member>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        match request.message.method().unwrap_or_default() {
            "ping" => Ok(request.respond(b"{}")),
            "tools/call" => self.transparent_call(member, request).await,
            "tools/list" => Ok(self.transparent_list(member, request).await),
            "resources/subscribe" => self.subscribe(member, request).await,
            "resources/unsubscribe" => Ok(self.unsubscribe(member, request).await),
            method => {
                let repeatable = is_read(method);
                let message = request.message.clone();
                let answer = self.forward(request, member, message, repeatable).await;
                Ok(finished(request, member, answer))
            }
        }
    }

    async fn transparent_call(
        self: &Arc<Self>,
        member: &Arc<Member>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        let name = request.message.name().unwrap_or_default();
        request.caller.permit(member.name(), &name)?;
        let entry = member.tool(&name);
        let tool = Tool {
            name: &name,
            entry: entry.as_ref(),
        };
        let message = request.message.clone();
        let answer = self.forward_tool(request, member, message, tool).await;
        Ok(finished_tool(request, member, answer))
    }

    async fn transparent_list(self: &Arc<Self>, member: &Arc<Member>, request: &Request) -> Bytes {
        let message = request.message.clone();
        let answer = self.forward(request, member, message, true).await;
        let Some(result) = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.message.original().result())
        else {
            return finished(request, member, answer);
        };
        let now = self.clock.now();
        // What a backend shows to one client alone is not what it offers to all.
        let is_own = request
            .session
            .as_ref()
            .is_some_and(|session| session.line(member.name()).is_some());
        let is_whole = request.message.cursor().is_none() && !is_own;
        if is_whole && member.catalogue().adopt(Kind::Tools, &result, now) {
            self.list_changed(member, Kind::Tools);
        }
        let cut = permitted(member, &request.caller, &result);
        // The answer can be changed where it lies once nobody else holds a part of it.
        drop(result);
        match cut {
            Some(cut) => request.respond(&cut),
            None => finished(request, member, answer),
        }
    }

    /// Remembered before it is sent, so that the first update is not missed.
    async fn subscribe(&self, member: &Member, request: &Request) -> Result<Bytes, Refusal> {
        let uri = request.message.uri().unwrap_or_default();
        let session = request.session.as_ref();
        if session.is_some_and(|session| !session.subscribe(&uri)) {
            return Err(Refusal::InvalidRequest(
                format!("This session has subscribed to {MOST_SUBSCRIPTIONS} resources, which is the limit, so nothing was sent. Unsubscribe from one first.")
                    .into(),
            ));
        }
        let message = request.message.clone();
        let answer = self.forward_shared(request, member, message).await;
        let is_subscribed = matches!(&answer, Ok(answer) if answer.message.result().is_some());
        if let (Some(session), false) = (session, is_subscribed) {
            session.unsubscribe(&uri);
        }
        Ok(finished(request, member, answer))
    }

    /// Sent on only when nobody else at this endpoint is left who wants to hear of the resource.
    async fn unsubscribe(&self, member: &Member, request: &Request) -> Bytes {
        let uri = request.message.uri().unwrap_or_default();
        if let Some(session) = &request.session {
            session.unsubscribe(&uri);
            if self.is_wanted(session, &uri) {
                return request.respond(b"{}");
            }
        }
        let message = request.message.clone();
        let answer = self.forward_shared(request, member, message).await;
        finished(request, member, answer)
    }

    pub(super) fn is_wanted(&self, by_others_than: &Session, uri: &str) -> bool {
        let mut wanted = false;
        self.sessions.for_each(|session| {
            wanted |= session.route() == by_others_than.route() && session.is_subscribed(uri);
        });
        wanted
    }
}

/// Whether a method only reads.
pub(super) fn is_read(method: &str) -> bool {
    matches!(
        method,
        "resources/read" | "prompts/get" | "completion/complete"
    ) || method.ends_with("/list")
}

/// The answer under the client's id, or the error that says why there is none.
pub(super) fn finished(
    request: &Request,
    member: &Member,
    answer: Result<Answer, CallError>,
) -> Bytes {
    match answer {
        Ok(answer) => answer.message.under(request.id()),
        Err(error) => failed_call(request.id(), &Recovery::of_call(member.name(), &error)),
    }
}

/// The same for a tool call, where the model reads what went wrong.
pub(super) fn finished_tool(
    request: &Request,
    member: &Member,
    answer: Result<Answer, CallError>,
) -> Bytes {
    match answer {
        Ok(answer) => answer.message.under(request.id()),
        Err(error) => {
            let failed = failed_tool(&Recovery::of_call(member.name(), &error));
            request.respond(failed.get().as_bytes())
        }
    }
}

/// The list without what the caller may not call; `None` if it may call everything.
fn permitted(member: &Member, caller: &Caller, result: &[u8]) -> Option<Vec<u8>> {
    if !caller.is_bound_to_tools() {
        return None;
    }
    let mut result = RawObject::parse(result)?;
    let mut tools: Vec<&RawValue> = result.read("tools")?;
    tools.retain(|tool| {
        RawObject::parse(tool.get().as_bytes())
            .and_then(|tool| tool.read("name"))
            .is_some_and(|Text(name)| caller.may_call(member.name(), &name))
    });
    let tools = serde_json::value::to_raw_value(&tools).ok()?;
    result.replace("tools", &tools);
    serde_json::to_vec(&result).ok()
}
