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
    request::{Request, Speaks},
    tasks,
};
use crate::{
    backend::{Answer, CallError},
    protocol::{RawObject, Text, codes},
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
            "resources/subscribe" => {
                let uri = request.message.uri().unwrap_or_default();
                self.subscribe(member, request, &uri).await
            }
            "resources/unsubscribe" => {
                let uri = request.message.uri().unwrap_or_default();
                Ok(self.unsubscribe(member, request, &uri).await)
            }
            "logging/setLevel" => self.set_level(request, vec![Arc::clone(member)]).await,
            method if method.starts_with(tasks::METHODS) => self.about_tasks(member, request).await,
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
        let mut entry = member.tool(&name);
        if entry.is_none() && member.backend().reads_headers() {
            // Its definition says which arguments go into headers.
            let deadline = request.deadline.min(self.fan_out_deadline());
            entry = self
                .look_up_tool(request, member, &name, deadline)
                .await
                .ok()
                .flatten();
        }
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
        let adopt = || {
            let strictly = member.strictly();
            member
                .catalogue()
                .adopt(Kind::Tools, &result, now, strictly)
        };
        if is_whole && adopt() {
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
        Ok(answer) if is_unaskable(request, &answer) => {
            let sentence = answer.message.error_message().unwrap_or_default();
            let error = CallError::unanswered(sentence);
            let failed = failed_tool(&Recovery::of_call(member.name(), &error));
            request.respond(failed.get().as_bytes())
        }
        Ok(answer) => answer.message.under(request.id()),
        Err(error) => {
            let failed = failed_tool(&Recovery::of_call(member.name(), &error));
            request.respond(failed.get().as_bytes())
        }
    }
}

/// Whether a modern backend refuses because the client cannot be asked: older clients do not know that error.
fn is_unaskable(request: &Request, answer: &Answer) -> bool {
    matches!(request.speaker, Speaks::Legacy)
        && answer.message.error_code() == Some(codes::MISSING_CLIENT_CAPABILITY)
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
