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
    raw_object::{RawObject, Text},
    replies::{Recovery, Refusal, failed_call, failed_tool},
    request::Request,
};
use crate::{
    backend::{Answer, CallError},
    protocol::Message,
};

impl Gateway {
    /// Answers a request on `/mcp/{backend}`.
    pub(super) async fn transparent(
        self: &Arc<Self>,
        member: &Arc<Member>,
        request: &Request,
    ) -> Result<Bytes, Refusal> {
        match request.message.method().unwrap_or_default() {
            "ping" => Ok(Message::response(request.id(), b"{}").bytes().clone()),
            "tools/call" => self.transparent_call(member, request).await,
            "tools/list" => Ok(self.transparent_list(member, request).await),
            "resources/unsubscribe" if self.is_wanted_by_others(request) => {
                note_subscription(request);
                Ok(Message::response(request.id(), b"{}").bytes().clone())
            }
            method => {
                note_subscription(request);
                let repeatable = is_read(method);
                let message = request.message.clone();
                let answer = self.forward(request, member, message, repeatable).await;
                Ok(finished(request, member, answer))
            }
        }
    }

    async fn transparent_call(&self, member: &Member, request: &Request) -> Result<Bytes, Refusal> {
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
            .and_then(|answer| answer.message.result())
        else {
            return finished(request, member, answer);
        };
        let now = self.clock.now();
        let is_whole = request.message.cursor().is_none();
        if is_whole && member.catalogue().adopt(Kind::Tools, &result, now) {
            self.rename();
        }
        match permitted(member, &request.caller, &result) {
            Some(cut) => Message::response(request.id(), &cut).bytes().clone(),
            None => finished(request, member, answer),
        }
    }

    /// Whether another session still wants to hear of the resource that this one has had enough of.
    fn is_wanted_by_others(&self, request: &Request) -> bool {
        let (Some(session), Some(uri)) = (&request.session, request.message.uri()) else {
            return false;
        };
        let mut wanted = false;
        self.sessions.for_each(|other| {
            wanted |= !Arc::ptr_eq(other, session)
                && other.route() == session.route()
                && other.is_subscribed(&uri);
        });
        wanted
    }
}

fn note_subscription(request: &Request) {
    let (Some(session), Some(uri)) = (&request.session, request.message.uri()) else {
        return;
    };
    match request.message.method() {
        Some("resources/subscribe") => session.subscribe(&uri),
        Some("resources/unsubscribe") => session.unsubscribe(&uri),
        _ => {}
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
        Ok(answer) => answer.message.edit().id(request.id()).finish(),
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
        Ok(answer) => answer.message.edit().id(request.id()).finish(),
        Err(error) => {
            let failed = failed_tool(&Recovery::of_call(member.name(), &error));
            Message::response(request.id(), failed.get().as_bytes())
                .bytes()
                .clone()
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
