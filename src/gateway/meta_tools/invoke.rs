//! gateway_invoke: calls a backend's tool and hands its result on as it is.

use std::{borrow::Cow, sync::Arc};

use super::{
    arguments::Arguments,
    given::{Given, Trouble},
};
use crate::{
    gateway::{
        calls::Tool,
        catalogue::Kind,
        facade::Gateway,
        member::Member,
        nearest::nearest,
        replies::{Recovery, Refusal},
        request::Request,
        table::Table,
        trace::traced,
    },
    protocol::{Message, RawObject, quote},
};

pub(super) async fn run(
    gateway: &Arc<Gateway>,
    request: &Request,
    arguments: &Arguments<'_>,
) -> Result<Given, Trouble> {
    let (server, name) = target(gateway, arguments)?;
    let given = arguments.object("arguments")?;
    let member = gateway.member(&server, &request.caller)?;
    request.caller.permit(member.name(), &name)?;
    let failed = |error| Trouble::ToolFailed(Recovery::of_call(member.name(), &error));
    let entry = gateway
        .look_up_tool(request, &member, &name, request.deadline)
        .await
        .map_err(failed)?;
    let is_shown = gateway.table().shows(member.name(), &name);
    if !is_shown || (entry.is_none() && lists_tools(&member)) {
        return Err(unknown(&gateway.table(), &member, request, &name).into());
    }
    let message = message(request, &name, &given);
    let tool = Tool {
        name: &name,
        entry: entry.as_ref(),
    };
    let answer = gateway
        .forward_tool(request, &member, message, tool)
        .await
        .map_err(failed)?;
    match (answer.message.result(), answer.message.error()) {
        (Some(result), _) => Ok(Given::ToolResult(traced(&result, &request.trace_name()))),
        (None, error) => {
            let recovery = Recovery::of_answer(member.name(), &error.unwrap_or_default());
            Err(Trouble::ToolFailed(recovery))
        }
    }
}

/// Server and tool, however they were named: apart, as `server:tool`, or by the public name.
fn target<'a>(
    gateway: &Gateway,
    arguments: &Arguments<'a>,
) -> Result<(Cow<'a, str>, Cow<'a, str>), Refusal> {
    let tool = arguments.required("tool")?;
    if let Some(server) = arguments.text("server")? {
        let own = tool
            .strip_prefix(&*server)
            .and_then(|rest| rest.strip_prefix(':'))
            .map(|own| Cow::Owned(own.to_owned()));
        return Ok((server, own.unwrap_or(tool)));
    }
    if let Some((server, own)) = tool.split_once(':') {
        return Ok((Cow::Owned(server.to_owned()), Cow::Owned(own.to_owned())));
    }
    let directory = gateway.directory();
    let listed = directory.find(&tool).map(|listed| {
        let own = Cow::Owned(listed.entry.key.to_string());
        (Cow::Owned(listed.member.name().to_owned()), own)
    });
    match listed {
        Some(target) => Ok(target),
        None => arguments.required("server").map(|server| (server, tool)),
    }
}

/// What a modern client puts beside the arguments when it answers what the backend asked (MCP 2026-07-28, basic/patterns/mrtr).
const ANSWERS: [&str; 2] = ["inputResponses", "requestState"];

/// The call as the backend gets it; what the client put in `_meta`, and what it answers, goes along.
fn message(request: &Request, tool: &str, arguments: &[u8]) -> Message {
    let mut params = [
        &b"{\"name\":"[..],
        &quote(tool),
        b",\"arguments\":",
        arguments,
    ]
    .concat();
    if let Some(meta) = request.message.meta() {
        params.extend_from_slice(b",\"_meta\":");
        params.extend_from_slice(&meta);
    }
    let given = request.message.params().unwrap_or_default();
    let given = RawObject::parse(&given).unwrap_or_default();
    for key in ANSWERS {
        if let Some(value) = given.member(key) {
            params.extend_from_slice(format!(",\"{key}\":{}", value.get()).as_bytes());
        }
    }
    params.push(b'}');
    Message::request(request.id(), "tools/call", Some(&params))
}

/// Only a list with tools in it says that another one does not exist: a backend that has just started may have an empty one.
fn lists_tools(member: &Member) -> bool {
    let listing = member.catalogue().listing(Kind::Tools);
    listing.is_some_and(|listing| !listing.entries.is_empty())
}

fn unknown(table: &Table, member: &Member, request: &Request, name: &str) -> Refusal {
    let listing = member.catalogue().listing(Kind::Tools).unwrap_or_default();
    let names = listing
        .entries
        .iter()
        .map(|entry| &*entry.key)
        .filter(|tool| table.shows(member.name(), tool))
        .filter(|tool| request.caller.may_call(member.name(), tool));
    Refusal::UnknownTool {
        name: [member.name(), ":", name].concat().into(),
        suggest: nearest(name, names).map(Into::into),
    }
}
